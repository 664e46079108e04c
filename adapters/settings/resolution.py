"""From references to secrets: what can be resolved is, the rest says why it cannot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias, assert_never

from adapters.settings.providers import EnvProvider, ExecProvider, FileProvider, Providers
from adapters.settings.references import SecretRef
from adapters.settings.secret import Secret
from adapters.settings.secret_commands import resolve_by_command
from adapters.settings.secret_files import resolve_in_file
from adapters.settings.secret_text import Resolution, Unresolved, sealed

Resolutions: TypeAlias = Mapping[SecretRef, Secret | Unresolved]


def resolve(
    refs: Iterable[SecretRef], providers: Providers, environ: Mapping[str, str]
) -> Resolutions:
    """Resolve references that `Providers.check` has passed; each one fails for itself alone.

    A provider is asked once for all its ids, so that its file is read and its command run once.
    """
    asked: defaultdict[str, list[SecretRef]] = defaultdict(list)
    for ref in dict.fromkeys(refs):
        asked[ref.provider].append(ref)
    resolutions: dict[SecretRef, Secret | Unresolved] = {}
    for name, own in asked.items():
        found = _from_provider(name, [ref.id for ref in own], providers, environ)
        resolutions |= {ref: _digested(found[ref.id]) for ref in own}
    return resolutions


def resolve_text(ref: SecretRef, providers: Providers, environ: Mapping[str, str]) -> Resolution:
    """Resolve a reference to a text that is needed as it is, such as a key that signs."""
    return _from_provider(ref.provider, [ref.id], providers, environ)[ref.id]


def _digested(found: Resolution) -> Secret | Unresolved:
    return found if isinstance(found, Unresolved) else Secret(found.reveal())


def _from_provider(
    name: str, ids: Collection[str], providers: Providers, environ: Mapping[str, str]
) -> Mapping[str, Resolution]:
    provider = providers.usable[name]
    match provider:
        case EnvProvider():
            return {identifier: _variable(identifier, environ) for identifier in ids}
        case FileProvider():
            return resolve_in_file(provider, ids)
        case ExecProvider():
            return resolve_by_command(provider, name, ids, environ)
        case _:
            assert_never(provider)


def _variable(name: str, environ: Mapping[str, str]) -> Resolution:
    if name not in environ:
        return Unresolved(f"the environment variable {name} is not set")
    return sealed(environ[name], f"the environment variable {name}")
