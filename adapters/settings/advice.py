"""What works but the documentation advises against. No sentence shows a secret."""

from __future__ import annotations

import re
import stat
from collections.abc import Collection, Iterator
from typing import Final

from adapters.settings.assembly import HeldKey, ResolvedRoute
from adapters.settings.declarations import Webhooks, references
from adapters.settings.findings import FieldPath, Findings, written
from adapters.settings.plan import Plan
from adapters.settings.providers import FileProvider, Provider
from adapters.settings.references import SecretRef
from adapters.settings.secret import SHORT

_UNREACHABLE: Final = (
    (re.compile(r"\s"), "has a blank"),
    (re.compile(r"[?#%\\]"), "has one of ? # % \\"),
    (re.compile(r"[^\x00-\x7f]"), "has a character beyond ASCII"),
    (re.compile(r"//|./$"), "has an empty segment"),
    (re.compile(r"/\.{1,2}(/|$)"), "has a segment . or .."),
    (re.compile(r"^/(healthz|readyz)$"), "is one of the gateway's own"),
)
_WITH_INCLUDES: Final[tuple[FieldPath, ...]] = (
    (),
    ("gateway",),
    ("secrets",),
    ("plugins",),
    ("plugins", "entries"),
)


def advise(
    plan: Plan, routes: tuple[ResolvedRoute, ...], password: HeldKey | None, findings: Findings
) -> None:
    """Note all advice on a configuration that has no problems."""
    _on_includes(findings)
    _on_store(plan, findings)
    _on_routes(plan.webhooks, findings)
    _on_files(plan, findings)
    _on_signing(plan, findings)
    _on_missing(routes, findings)
    keys = [key for route in routes for key in route.held]
    _on_secrets([*keys, password] if password else keys, findings)


def _on_includes(findings: Findings) -> None:
    for path in _WITH_INCLUDES:
        if (*path, "$include") in findings.lines:
            findings.advise((*path, "$include"), "other files are not read: copy what matters here")


def _on_store(plan: Plan, findings: Findings) -> None:
    if plan.service.store.path is None:
        findings.advise(("taskflow", "store", "url"), "nothing is kept when the gateway stops")


def _on_routes(webhooks: Webhooks, findings: Findings) -> None:
    place = webhooks.place
    if not webhooks.enabled:
        findings.advise((*place, "enabled"), "the webhooks plugin is disabled: nothing is served")
    elif not webhooks.served:
        findings.advise((*place, "config", "routes"), "no route is enabled: nothing is served")
    for route in webhooks.served:
        if fault := _why_unreachable(route.path):
            findings.advise(route.path_place, f"no request reaches {route.path}, as it {fault}")


def _why_unreachable(path: str) -> str | None:
    return next((fault for pattern, fault in _UNREACHABLE if pattern.search(path)), None)


def _on_files(plan: Plan, findings: Findings) -> None:
    refs = [ref for ref, _ in references(plan.webhooks.served)]
    signing = plan.service.checkpoints.key
    if signing is not None and isinstance(signing.held, SecretRef):
        refs.append(signing.held)
    used = dict.fromkeys(ref.provider for ref in refs)
    for name in used:
        if _can_be_read_by_all(plan.providers.usable[name]):
            sentence = "every user of this machine can read the file"
            findings.advise(("secrets", "providers", name, "path"), sentence)


def _on_signing(plan: Plan, findings: Findings) -> None:
    key = plan.service.checkpoints.key
    if key is not None and not isinstance(key.held, SecretRef):
        sentence = "the key is written here: keep it elsewhere, and refer to it"
        findings.advise(key.field.path, sentence)


def _can_be_read_by_all(provider: Provider) -> bool:
    if not isinstance(provider, FileProvider) or provider.allow_insecure_path:
        return False
    try:
        return bool(provider.path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def _on_missing(routes: tuple[ResolvedRoute, ...], findings: Findings) -> None:
    """Note the keys that a served route lacks; a route that lacks all of them is skipped."""
    for key in (key for route in routes if route.held for key in route.missing):
        sentence = f"the route is served without this secret: {key.reason}"
        findings.advise(key.declared.field.path, sentence)


def _on_secrets(keys: Collection[HeldKey], findings: Findings) -> None:
    seen: list[HeldKey] = []
    for key in keys:
        for sentence in _faults(key):
            findings.advise(key.place, sentence)
        if twin := next((one for one in seen if one.secret.is_same_as(key.secret)), None):
            findings.advise(key.place, f"the secret is the same as in {written(twin.place)}")
        seen.append(key)


def _faults(key: HeldKey) -> Iterator[str]:
    if key.is_inline:
        yield "the secret is written here: keep it elsewhere, and refer to it as ${NAME}"
    if key.secret.is_short:
        yield f"the secret has fewer than {SHORT} characters"
    if not key.secret.is_sendable:
        yield "the secret has a line break or another control character: no caller can send it"
