"""Secret providers as `secrets.providers` configures them, and what a reference may ask of each."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, TypeAlias, assert_never, cast

from attrs import field, frozen

from adapters.settings.fields import Members, Node
from adapters.settings.references import (
    DEFAULT_PROVIDER,
    SINGLE_VALUE,
    SOURCES,
    VARIABLE,
    SecretRef,
)

_MOST_MS: Final = 120_000
_MOST_BYTES: Final = 20 << 20
_MOST_CHARACTERS: Final = 1024
_TIMEOUT_MS: Final = 5000
_BYTES: Final = 1 << 20
_NAME: Final = re.compile(r"[^=\0]+")


@frozen(kw_only=True)
class EnvProvider:
    """Reads variables of the environment; `allowlist` None allows all."""

    allowlist: frozenset[str] | None = None


@frozen(kw_only=True)
class FileProvider:
    """Reads a file: a JSON object of secrets, or one secret as a whole."""

    path: Path
    mode: Literal["json", "singleValue"]
    max_bytes: int
    allow_insecure_path: bool


@frozen(kw_only=True)
class ExecProvider:
    """Runs a command that answers with secrets. APPSEC: its own may be in `args` and `env`."""

    command: str
    args: tuple[str, ...] = field(repr=False)
    env: Mapping[str, str] = field(repr=False)
    pass_env: tuple[str, ...]
    timeout_ms: int
    no_output_timeout_ms: int
    max_output_bytes: int
    json_only: bool
    trusted_dirs: tuple[str, ...]
    allow_insecure_path: bool
    allow_symlink_command: bool


Provider: TypeAlias = EnvProvider | FileProvider | ExecProvider


@frozen
class Providers:
    """The providers by name; None stands for one that is misconfigured, which is noted."""

    by_name: Mapping[str, Provider | None]

    @property
    def usable(self) -> Mapping[str, Provider]:
        """Return the providers that are not misconfigured."""
        return {name: provider for name, provider in self.by_name.items() if provider}

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the files that are read for secrets."""
        files = (one for one in self.usable.values() if isinstance(one, FileProvider))
        return tuple(file.path for file in files)

    def check(self, ref: SecretRef, at: Node) -> None:
        """Note a problem if a reference asks for what its provider, as configured, cannot give."""
        if ref.provider not in self.by_name:
            at.refuse(
                expected="a provider of secrets.providers",
                found=f'"{ref.provider}", which is not configured',
            )
        elif provider := self.by_name[ref.provider]:
            _check_source(ref, provider, at)


def source_of(provider: Provider) -> str:
    """Return the source of a provider, as configurations name it."""
    match provider:
        case EnvProvider():
            return "env"
        case FileProvider():
            return "file"
        case ExecProvider():
            return "exec"
        case _:
            assert_never(provider)


def _check_source(ref: SecretRef, provider: Provider, at: Node) -> None:
    source = source_of(provider)
    if ref.source != source:
        at.refuse(
            expected=f'a provider of source "{ref.source}"',
            found=f'"{ref.provider}" of source "{source}"',
        )
        return
    match provider:
        case EnvProvider(allowlist=allowlist) if allowlist is not None and ref.id not in allowlist:
            at.refuse(
                expected=f"a variable in the allowlist of secrets.providers.{ref.provider}",
                found="another one",
            )
        case FileProvider(mode=mode) if (mode == "singleValue") != (ref.id == SINGLE_VALUE):
            wanted = f'the id "{SINGLE_VALUE}"' if mode == "singleValue" else "a JSON pointer"
            at.refuse(expected=f'{wanted}, as the provider has mode "{mode}"', found="another id")
        case _:
            pass


def read_providers(secrets: Members, folder: Path, home: str | None) -> Providers:
    """Read `secrets.providers`; relative paths start at `folder`, `~/` stands for `home`."""
    secrets.refuse_misspelt("providers")
    fields = secrets.object("providers").fields
    read = {name: _provider(field, folder, home) for name, field in fields.items()}
    return Providers({DEFAULT_PROVIDER: EnvProvider()} | read)


def _provider(field: Node, folder: Path, home: str | None) -> Provider | None:
    before = len(field.diagnostics.problems)
    provider = _of_source(field, folder, home)
    return provider if len(field.diagnostics.problems) == before else None


def _of_source(field: Node, folder: Path, home: str | None) -> Provider | None:
    members = field.members()
    if not isinstance(field.value, dict) or members.required("source", expected=_A_SOURCE) is None:
        return None
    match members.choice("source", default="", options=SOURCES):
        case "env":
            return _env(field.members(_ENV_KEYS))
        case "file":
            return _file(field.members(_FILE_KEYS), folder, home)
        case "exec":
            return _exec(field.members(_EXEC_KEYS))
        case _:
            return None


_A_SOURCE: Final = "one of env, file or exec"
_ENV_KEYS: Final = ("source", "allowlist")
_FILE_KEYS: Final = ("source", "path", "mode", "timeoutMs", "maxBytes", "allowInsecurePath")
_EXEC_KEYS: Final = (
    *("source", "command", "args", "env", "passEnv", "timeoutMs", "noOutputTimeoutMs"),
    *("maxOutputBytes", "jsonOnly", "trustedDirs", "allowInsecurePath", "allowSymlinkCommand"),
)


def _env(members: Members) -> EnvProvider:
    if members.get("allowlist") is None:
        return EnvProvider()
    return EnvProvider(allowlist=frozenset(_variables(members, "allowlist", at_most=256)))


def _file(members: Members, folder: Path, home: str | None) -> FileProvider:
    path = members.required("path", expected="the path of a file")
    # NOTE: a regular file is read without waiting, so its time limit has nothing to bound.
    _milliseconds(members, "timeoutMs", default=_TIMEOUT_MS)
    mode = members.choice("mode", default="json", options=("json", "singleValue"))
    return FileProvider(
        path=folder if path is None else folder / _from_home(path.literal_text(), home),
        mode=cast("Literal['json', 'singleValue']", mode),
        max_bytes=members.whole_number("maxBytes", default=_BYTES, low=1, high=_MOST_BYTES),
        allow_insecure_path=members.flag("allowInsecurePath", default=False),
    )


def _from_home(path: str, home: str | None) -> str:
    return path if home is None or not path.startswith("~/") else home + path[1:]


def _exec(members: Members) -> ExecProvider:
    timeout_ms = _milliseconds(members, "timeoutMs", default=_TIMEOUT_MS)
    trusted = members.elements("trustedDirs", of="absolute paths", at_most=64)
    return ExecProvider(
        command=_absolute(members.required("command", expected=_A_COMMAND)),
        args=tuple(_argument(arg) for arg in members.elements("args", of="strings", at_most=128)),
        env=_variables_set(members.object("env")),
        pass_env=_variables(members, "passEnv", at_most=128),
        timeout_ms=timeout_ms,
        no_output_timeout_ms=_milliseconds(members, "noOutputTimeoutMs", default=timeout_ms),
        max_output_bytes=members.whole_number(
            "maxOutputBytes", default=_BYTES, low=1, high=_MOST_BYTES
        ),
        json_only=members.flag("jsonOnly", default=True),
        trusted_dirs=tuple(_absolute(directory) for directory in trusted),
        allow_insecure_path=members.flag("allowInsecurePath", default=False),
        allow_symlink_command=members.flag("allowSymlinkCommand", default=False),
    )


_A_COMMAND: Final = "the absolute path of a command"


def _milliseconds(members: Members, key: str, *, default: int) -> int:
    return members.whole_number(key, default=default, low=1, high=_MOST_MS)


def _absolute(field: Node | None) -> str:
    path = "" if field is None else field.literal_text()
    if field and path and not os.path.isabs(path):  # noqa: PTH117 - a Path would hide ".." and "//"
        field.refuse(expected="an absolute path", found="a relative one")
    return path


def _argument(field: Node) -> str:
    text = field.verbatim()
    if len(text) > _MOST_CHARACTERS:
        field.refuse(expected=f"at most {_MOST_CHARACTERS} characters", found=str(len(text)))
    return text


def _variables(members: Members, key: str, *, at_most: int) -> tuple[str, ...]:
    fields = members.elements(key, of="names of variables", at_most=at_most)
    return tuple(_variable(field) for field in fields)


def _variable(field: Node) -> str:
    if isinstance(field.value, str) and VARIABLE.fullmatch(field.value):
        return field.value
    kind = "another string" if isinstance(field.value, str) else None
    field.refuse(expected="a variable's name like VAULT_ADDR", found=kind)
    return ""


def _variables_set(members: Members) -> Mapping[str, str]:
    for name, value in members.fields.items():
        if not _NAME.fullmatch(name):
            value.refuse(expected="a variable's name", found="another key")
    return {name: value.verbatim() for name, value in members.fields.items()}
