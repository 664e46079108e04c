"""Secrets that a command hands out: the exec protocol, version 1, over its standard streams."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from adapters.settings.bounded_command import Bounds, run_bounded
from adapters.settings.file_permissions import ResolvedPath, resolve_path
from adapters.settings.providers import ExecProvider
from adapters.settings.secret_text import ProviderFault, Resolution, Unresolved, sealed

_VERSION: Final = 1


def resolve_by_command(
    provider: ExecProvider, name: str, ids: Collection[str], environ: Mapping[str, str]
) -> Mapping[str, Resolution]:
    """Run a provider's command once for all ids; raises ProviderFault for its own faults."""
    command = _trusted(provider)
    answer = run_bounded(
        [str(command), *provider.args],
        _request(name, ids),
        folder=str(command.parent),
        env=_environment(provider, environ),
        bounds=Bounds(
            seconds=provider.timeout_ms / 1000,
            silent_seconds=provider.no_output_timeout_ms / 1000,
            octets=provider.max_output_bytes,
        ),
    )
    return _values(answer, ids, provider)


def _request(name: str, ids: Collection[str]) -> bytes:
    request = {"protocolVersion": _VERSION, "provider": name, "ids": list(ids)}
    return json.dumps(request).encode()


def _environment(provider: ExecProvider, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the configuration names, and no others."""
    passed = {name: environ[name] for name in provider.pass_env if name in environ}
    return passed | dict(provider.env)


def _trusted(provider: ExecProvider) -> Path:
    """Return the file to run, with its links resolved, if it may be run."""
    command = Path(provider.command)
    try:
        trusted = tuple(Path(directory).resolve() for directory in provider.trusted_dirs)
        resolved = resolve_path(command, vouched=trusted)
        fault = _fault(resolved, trusted, provider)
    except (OSError, RuntimeError) as error:  # NOTE: a loop of links is a RuntimeError before 3.13
        reason = error.strerror if isinstance(error, OSError) else "a loop of links"
        raise ProviderFault(f"the command {command} cannot be found: {reason}") from error
    if fault:
        raise ProviderFault(f"the command {command} {fault}")
    return resolved.real


def _fault(resolved: ResolvedPath, trusted: tuple[Path, ...], provider: ExecProvider) -> str | None:
    if resolved.links and not provider.allow_symlink_command:
        return (
            f"leads through the symbolic link {resolved.links[0]}, which allowSymlinkCommand "
            f"would allow: or name {resolved.real} itself"
        )
    if trusted and not any(resolved.real.is_relative_to(directory) for directory in trusted):
        return "is in none of the trustedDirs"
    if not resolved.real.is_file():
        return "is not a regular file"
    return None if provider.allow_insecure_path else resolved.fault


def _values(
    answer: bytes, ids: Collection[str], provider: ExecProvider
) -> Mapping[str, Resolution]:
    """Read the answer to a request for some ids."""
    name = f"the answer of the command {provider.command}"
    try:
        text = answer.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ProviderFault(f"{name} is not text in UTF-8") from None
    message = _json(text)
    if isinstance(message, dict):
        return _from_message(message, ids, name)
    if provider.json_only or len(ids) > 1:
        raise ProviderFault(f"{name} is not a JSON object")
    return dict.fromkeys(ids, sealed(message if isinstance(message, str) else text, name))


def _json(text: str) -> object:
    """Return a text's JSON value, or None if it has none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _from_message(
    message: dict[str, object], ids: Collection[str], name: str
) -> Mapping[str, Resolution]:
    version, values, errors = (message.get(key) for key in ("protocolVersion", "values", "errors"))
    if version != _VERSION or isinstance(version, bool):
        raise ProviderFault(f"{name} is not of protocolVersion {_VERSION}")
    if not isinstance(values, dict):
        raise ProviderFault(f"{name} has no values")
    # APPSEC: an error's message is not repeated: nobody promises that it quotes no secret.
    failed = errors if isinstance(errors, dict) else {}
    return {identifier: _value(identifier, values, failed, name=name) for identifier in ids}


def _value(
    identifier: str, values: dict[str, object], failed: dict[str, object], *, name: str
) -> Resolution:
    if identifier in failed:
        return Unresolved(f"{name} reports an error for {identifier}")
    if identifier not in values:
        return Unresolved(f"{name} has no value for {identifier}")
    return sealed(values[identifier], f"the value for {identifier} in {name}")
