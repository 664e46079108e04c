"""Secrets kept in a file: a JSON object read by RFC 6901 pointers, or one secret as a whole."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from adapters.settings.file_permissions import ResolvedPath, distrust, resolve_path
from adapters.settings.providers import FileProvider
from adapters.settings.secret_text import ProviderFault, Resolution, Unresolved, sealed

_MOST_BYTES: Final = 1 << 20
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}")


def resolve_in_file(provider: FileProvider, ids: Collection[str]) -> Mapping[str, Resolution]:
    """Return the secrets of a file by their ids; raises ProviderFault for one of the file."""
    text = _text(provider)
    if provider.mode == "singleValue":
        return dict.fromkeys(ids, sealed(text, f"the file {provider.path}"))
    root = _json(text, provider)
    return {pointer: _at(pointer, root, provider) for pointer in ids}


def read_secret_file(
    path: Path, *, max_bytes: int = _MOST_BYTES, allow_insecure: bool = False
) -> bytes:
    """Read a regular file that nobody else can change; `allow_insecure` lets them.

    Symbolic links are followed, as mounted secrets are links. Raises ProviderFault.
    """
    try:
        resolved = resolve_path(path.absolute())
        # NOTE: without O_NONBLOCK, opening a pipe would wait for its writer.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(resolved.real, flags), "rb") as file:
            fault = _fault(resolved, os.fstat(file.fileno()), allow_insecure=allow_insecure)
            octets = b"" if fault else file.read(max_bytes + 1)
    except OSError as error:
        raise ProviderFault(f"the file {path} cannot be read: {error.strerror}") from error
    if fault:
        raise ProviderFault(f"the file {path} {fault}")
    if len(octets) > max_bytes:
        raise ProviderFault(f"the file {path} has more than {max_bytes} bytes")
    return octets


def _fault(resolved: ResolvedPath, opened: os.stat_result, *, allow_insecure: bool) -> str | None:
    """Return what is wrong with a file that was opened at the end of a path."""
    if not stat.S_ISREG(opened.st_mode):
        return "is not a regular file"
    return None if allow_insecure else resolved.fault or distrust(resolved.real, opened)


def _text(provider: FileProvider) -> str:
    """Return the file's text without a byte order mark."""
    octets = read_secret_file(
        provider.path,
        max_bytes=provider.max_bytes,
        allow_insecure=provider.allow_insecure_path,
    )
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ProviderFault(f"the file {provider.path} is not text in UTF-8") from None


def _json(text: str, provider: FileProvider) -> dict[str, object]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        return value
    raise ProviderFault(f"the file {provider.path} is not a JSON object")


def _at(pointer: str, root: dict[str, object], provider: FileProvider) -> Resolution:
    """Follow a pointer from the root (RFC 6901, section 4)."""
    value: object = root
    for token in pointer.removeprefix("/").split("/"):
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and _INDEX.fullmatch(key) and int(key) < len(value):
            value = value[int(key)]
        else:
            return Unresolved(f"the file {provider.path} has nothing at {pointer}")
    return sealed(value, f"the value at {pointer} in the file {provider.path}")
