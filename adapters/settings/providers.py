"""Secret providers as `secrets.providers` configures them, and what a reference may ask of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

from attrs import Factory, field, frozen

from adapters.settings.diagnostics import Diagnostics
from adapters.settings.nodes import Misfit, Node
from adapters.settings.references import (
    DEFAULT_PROVIDER,
    SINGLE_VALUE,
    VARIABLE,
    DeclaredSecret,
    SecretRef,
    Source,
)
from adapters.settings.structure import Between, Each, Matching, read, text, verbatim

_MOST_CHARACTERS: Final = 1024
_NAME: Final = re.compile(r"[^=\0]+")


def _file(node: Node) -> Path:
    if node.is_absent:
        raise Misfit("the path of a file")
    return node.diagnostics.file_at(text(node))


def _command(node: Node) -> str:
    if node.is_absent:
        raise Misfit("the absolute path of a command")
    return _IS_ABSOLUTE(node)


def _argument(node: Node) -> str:
    argument = verbatim(node)
    if len(argument) > _MOST_CHARACTERS:
        raise Misfit(f"at most {_MOST_CHARACTERS} characters", str(len(argument)))
    return argument


def _environment(node: Node) -> Mapping[str, str]:
    for name, value in node.members().items():
        if not _NAME.fullmatch(name):
            value.refuse("a variable's name", "another key")
    return {name: read(one, _Verbatim, "") for name, one in node.members().items()}


# NOTE: a Path would hide ".." and "//".
_IS_ABSOLUTE: Final = Matching(re.compile(r"/.*"), "an absolute path", "a relative one")
_Verbatim: TypeAlias = Annotated[str, verbatim]
_Milliseconds: TypeAlias = Annotated[int, Between(1, 120_000)]
_Bytes: TypeAlias = Annotated[int, Between(1, 20 << 20)]
_Variable: TypeAlias = Annotated[
    str, Matching(VARIABLE, "a variable's name like VAULT_ADDR", trimmed=False)
]


@frozen(kw_only=True)
class EnvProvider:
    """Reads variables of the environment; `allowlist` None allows all."""

    source: Literal["env"] = "env"
    allowlist: Annotated[tuple[str, ...], Each(_Variable, "names of variables", 256)] | None = None


@frozen(kw_only=True)
class FileProvider:
    """Reads a file: a JSON object of secrets, or one secret as a whole.

    NOTE: a regular file is read without waiting, so its time limit has nothing to bound.
    """

    source: Literal["file"] = "file"
    path: Annotated[Path, _file]
    mode: Literal["json", "singleValue"] = "json"
    timeout_ms: _Milliseconds = 5000
    max_bytes: _Bytes = 1 << 20
    allow_insecure_path: bool = False


@frozen(kw_only=True)
class ExecProvider:
    """Runs a command that answers with secrets. APPSEC: its own may be in `args` and `env`."""

    source: Literal["exec"] = "exec"
    command: Annotated[str, _command]
    args: Annotated[tuple[str, ...], Each(Annotated[str, _argument], "strings", 128)] = field(
        default=(), repr=False
    )
    env: Annotated[Mapping[str, str], _environment] = field(factory=dict, repr=False)
    pass_env: Annotated[tuple[str, ...], Each(_Variable, "names of variables", 128)] = ()
    timeout_ms: _Milliseconds = 5000
    no_output_timeout_ms: _Milliseconds = Factory(lambda own: own.timeout_ms, takes_self=True)
    max_output_bytes: _Bytes = 1 << 20
    json_only: bool = True
    trusted_dirs: Annotated[
        tuple[str, ...], Each(Annotated[str, _IS_ABSOLUTE], "absolute paths", 64)
    ] = ()
    allow_insecure_path: bool = False
    allow_symlink_command: bool = False


Provider: TypeAlias = EnvProvider | FileProvider | ExecProvider
_KINDS: Final = {"env": EnvProvider, "file": FileProvider, "exec": ExecProvider}


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
        return tuple(one.path for one in self.usable.values() if isinstance(one, FileProvider))

    def check(self, secret: DeclaredSecret, diagnostics: Diagnostics) -> None:
        """Note what is visibly no secret, or asks for what its provider cannot give."""
        for expected, found in self._faults(secret):
            diagnostics.refuse(secret.place, expected=expected, found=found)

    def _faults(self, secret: DeclaredSecret) -> Iterator[tuple[str, str]]:
        if not isinstance(secret.held, SecretRef):
            if secret.held.is_placeholder:
                yield _NO_PLACEHOLDER
        elif secret.held.provider not in self.by_name:
            found = f'"{secret.held.provider}", which is not configured'
            yield "a provider of secrets.providers", found
        elif provider := self.by_name[secret.held.provider]:
            yield from _reference_faults(secret.held, provider)


_NO_PLACEHOLDER: Final = (
    'a secret, or a reference to one as "${NAME}" in capitals or as {source, provider, id}',
    "a placeholder, which nothing replaces",
)


def _reference_faults(ref: SecretRef, provider: Provider) -> Iterator[tuple[str, str]]:
    if ref.source != provider.source:
        found = f'"{ref.provider}" of source "{provider.source}"'
        yield f'a provider of source "{ref.source}"', found
        return
    match provider:
        case EnvProvider(allowlist=allowlist) if allowlist is not None and ref.id not in allowlist:
            allowed = f"a variable in the allowlist of secrets.providers.{ref.provider}"
            yield allowed, "another one"
        case FileProvider(mode=mode) if (mode == "singleValue") != (ref.id == SINGLE_VALUE):
            wanted = f'the id "{SINGLE_VALUE}"' if mode == "singleValue" else "a JSON pointer"
            yield f'{wanted}, as the provider has mode "{mode}"', "another id"
        case _:
            pass


def read_providers(root: Node) -> Providers:
    """Read `secrets.providers`."""
    secrets = root.at("secrets")
    secrets.refuse_misspelt("providers")
    found = {name: _provider(one) for name, one in secrets.at("providers").members().items()}
    return Providers({DEFAULT_PROVIDER: EnvProvider()} | found)


def _provider(node: Node) -> Provider | None:
    if not isinstance(node.value, dict):
        node.refuse("an object")
        return None
    source = read(node.at("source"), Source)
    provider: Provider | None = read(node, _KINDS[source]) if source else None
    return provider
