"""From references to secrets: what can be looked up is, the rest says why it cannot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeAlias

from adapters.settings.nodes import Misfit
from adapters.settings.providers import EnvProvider, FileProvider, Providers
from adapters.settings.references import DeclaredSecret, SecretRef
from adapters.settings.secret import Secret
from adapters.settings.secret_commands import resolve_by_command
from adapters.settings.secret_files import resolve_in_file
from adapters.settings.secret_text import ProviderFault, Resolution, Unresolved, sealed

Secrets: TypeAlias = Mapping[DeclaredSecret, Secret | Unresolved]


def look_up(
    declared: Iterable[DeclaredSecret], providers: Providers, environ: Mapping[str, str]
) -> Secrets:
    """Look up secrets that `Providers.check` has passed; each one fails for itself alone.

    A provider is asked once for all its ids, so that its file is read and its command run once.
    """
    declared = tuple(declared)
    asked: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for ref in filter(None, (one.ref for one in declared)):
        asked[ref.provider][ref.id] = None
    found = {name: _ask(name, list(ids), providers, environ) for name, ids in asked.items()}
    return {
        one: one.held if isinstance(one.held, Secret) else _made(found, one.held, one.make)
        for one in declared
    }


def look_up_text(ref: SecretRef, providers: Providers, environ: Mapping[str, str]) -> Resolution:
    """Look up a text that is needed as it is, such as a key that signs."""
    return _ask(ref.provider, [ref.id], providers, environ)[ref.id]


def _made(
    found: Mapping[str, Mapping[str, Resolution]], ref: SecretRef, make: Callable[[str], Secret]
) -> Secret | Unresolved:
    text = found[ref.provider][ref.id]
    try:
        return text if isinstance(text, Unresolved) else make(text.reveal())
    except Misfit as misfit:
        return Unresolved(f"it is no key of its scheme: {misfit}")


def _ask(
    name: str, ids: Collection[str], providers: Providers, environ: Mapping[str, str]
) -> Mapping[str, Resolution]:
    provider = providers.usable[name]
    if isinstance(provider, EnvProvider):
        return {one: _variable(one, environ) for one in ids}
    try:
        if isinstance(provider, FileProvider):
            return resolve_in_file(provider, ids)
        return resolve_by_command(provider, name, ids, environ)
    except ProviderFault as fault:
        return dict.fromkeys(ids, Unresolved(str(fault)))


def _variable(name: str, environ: Mapping[str, str]) -> Resolution:
    if name not in environ:
        return Unresolved(f"the environment variable {name} is not set")
    return sealed(environ[name], f"the environment variable {name}")
