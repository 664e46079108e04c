"""What works but the documentation advises against. No sentence shows a secret."""

from __future__ import annotations

import re
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from adapters.settings.config import Plan
from adapters.settings.diagnostics import ConfigPath, Diagnostics, written
from adapters.settings.file_permissions import resolve_path
from adapters.settings.providers import FileProvider
from adapters.settings.references import SecretRef
from adapters.settings.resolve import HeldKey, ResolvedRoute
from adapters.settings.routes_config import Webhooks, references
from adapters.settings.secret import SHORT

_UNREACHABLE: Final = (
    (re.compile(r"\s"), "has a blank"),
    (re.compile(r"[?#%\\]"), "has one of ? # % \\"),
    (re.compile(r"[^\x00-\x7f]"), "has a character beyond ASCII"),
    (re.compile(r"//|./$"), "has an empty segment"),
    (re.compile(r"/\.{1,2}(/|$)"), "has a segment . or .."),
    (re.compile(r"^/(healthz|readyz)$"), "is one of the gateway's own"),
)


def advise(
    plan: Plan,
    routes: tuple[ResolvedRoute, ...],
    password: HeldKey | None,
    diagnostics: Diagnostics,
) -> None:
    """Note all advice on a configuration that has no problems."""
    _on_configuration(plan, diagnostics)
    _on_store(plan, diagnostics)
    _on_routes(plan.webhooks, diagnostics)
    _on_files(plan, diagnostics)
    _on_signing(plan, diagnostics)
    _on_missing(routes, diagnostics)
    keys = [key for route in routes for key in route.held]
    _on_secrets([*keys, password] if password else keys, diagnostics)


def _on_configuration(plan: Plan, diagnostics: Diagnostics) -> None:
    """Note each file of the configuration, which has commands and keys, that others can change."""
    for file in plan.files:
        if fault := _why_unsafe(Path(file)):
            diagnostics.advise_on_file(file, f"the configuration {fault}")


def _why_unsafe(file: Path) -> str | None:
    try:
        return resolve_path(file.absolute()).fault
    except OSError:  # it has been read, and is gone since
        return None


def _on_store(plan: Plan, diagnostics: Diagnostics) -> None:
    if plan.service.store.path is None:
        diagnostics.advise(("taskflow", "store", "url"), "nothing is kept when the gateway stops")


def _on_routes(webhooks: Webhooks, diagnostics: Diagnostics) -> None:
    if off := webhooks.off:
        diagnostics.advise(off.place, f"{off.reason}: nothing is served")
    elif not webhooks.served:
        place = (*webhooks.place, "config", "routes")
        diagnostics.advise(place, "no route is enabled: nothing is served")
    for route in webhooks.served:
        if fault := _why_unreachable(route.path):
            diagnostics.advise(route.path_place, f"no request reaches {route.path}, as it {fault}")


def _why_unreachable(path: str) -> str | None:
    return next((fault for pattern, fault in _UNREACHABLE if pattern.search(path)), None)


def _on_files(plan: Plan, diagnostics: Diagnostics) -> None:
    refs = [ref for ref, _ in references(plan.webhooks.served)]
    signing = plan.service.checkpoints.key
    if signing is not None and isinstance(signing.held, SecretRef):
        refs.append(signing.held)
    password = plan.service.pages.password
    if password is not None and isinstance(password.held, SecretRef):
        refs.append(password.held)
    used = dict.fromkeys(ref.provider for ref in refs)
    for name in used:
        provider = plan.providers.usable[name]
        if not isinstance(provider, FileProvider) or provider.allow_insecure_path:
            continue
        if _is_open(provider.path):
            sentence = "every user of this machine can read the file"
            diagnostics.advise(("secrets", "providers", name, "path"), sentence)


def _on_signing(plan: Plan, diagnostics: Diagnostics) -> None:
    key = plan.service.checkpoints.key
    if key is not None and not isinstance(key.held, SecretRef):
        here = _here(key.field.path, diagnostics)
        sentence = f"the key is written here{here}: keep it elsewhere, and refer to it"
        diagnostics.advise(key.field.path, sentence)


def _here(place: ConfigPath, diagnostics: Diagnostics) -> str:
    """Return what is to be added of a file in which a secret itself is written."""
    is_open = _is_open(Path(diagnostics.source(place).file))
    return ", where every user of this machine can read it" if is_open else ""


def _is_open(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def _on_missing(routes: tuple[ResolvedRoute, ...], diagnostics: Diagnostics) -> None:
    """Note the keys that a served route lacks; a route that lacks all of them is skipped."""
    for key in (key for route in routes if route.held for key in route.missing):
        sentence = f"the route is served without this secret: {key.reason}"
        diagnostics.advise(key.declared.field.path, sentence)


def _on_secrets(keys: Collection[HeldKey], diagnostics: Diagnostics) -> None:
    seen: list[HeldKey] = []
    for key in keys:
        for sentence in _faults(key, _here(key.place, diagnostics)):
            diagnostics.advise(key.place, sentence)
        if twin := next((one for one in seen if one.secret.is_same_as(key.secret)), None):
            diagnostics.advise(key.place, f"the secret is the same as in {written(twin.place)}")
        seen.append(key)


def _faults(key: HeldKey, here: str) -> Iterator[str]:
    if key.is_inline:
        yield f"the secret is written here{here}: keep it elsewhere, and refer to it as ${{NAME}}"
    if key.secret.is_short:
        yield f"the secret has fewer than {SHORT} characters"
    if key.secret.is_quoted:
        yield "the secret is in quotes, which are part of it: an env file of Docker keeps them"
    if not key.secret.is_sendable:
        yield "the secret has a line break or another control character: no caller can send it"
