"""What works but the documentation advises against. No sentence shows a secret."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from adapters.settings.config import Config
from adapters.settings.diagnostics import ConfigPath, Diagnostics, written
from adapters.settings.file_permissions import resolve_path
from adapters.settings.providers import FileProvider
from adapters.settings.references import DeclaredSecret
from adapters.settings.routes_config import RouteConfig, Webhooks
from adapters.settings.secret import SHORT, Secret
from adapters.settings.secret_lookup import Secrets

_UNREACHABLE: Final = (
    (re.compile(r"\s"), "has a blank"),
    (re.compile(r"[?#%\\]"), "has one of ? # % \\"),
    (re.compile(r"[^\x00-\x7f]"), "has a character beyond ASCII"),
    (re.compile(r"//|./$"), "has an empty segment"),
    (re.compile(r"/\.{1,2}(/|$)"), "has a segment . or .."),
    (re.compile(r"^/(healthz|readyz|resume/.*)$"), "is one of the gateway's own"),
)


def advise(
    config: Config, routes: tuple[RouteConfig, ...], secrets: Secrets, diagnostics: Diagnostics
) -> None:
    """Note all advice on a configuration that has no problems."""
    for file in config.files:  # it has commands and keys
        if fault := _why_unsafe(Path(file)):
            diagnostics.advise_on_file(file, f"the configuration {fault}")
    if not config.gateway.store.is_kept:
        place = ("taskflow", "store", "url")
        diagnostics.advise(place, "nothing is kept when the gateway stops")
    _on_routes(config.webhooks, diagnostics)
    _on_files(config, diagnostics)
    key = config.gateway.checkpoints.key
    if key is not None and key.ref is None:
        here = _here(key.path, diagnostics)
        sentence = f"the key is written here{here}: keep it elsewhere, and refer to it"
        diagnostics.advise(key.path, sentence)
    # A route that lacks all of its keys is skipped.
    for missing in (key for route in routes if route.keys for key in route.unresolved):
        sentence = f"the route is served without this secret: {missing.reason}"
        diagnostics.advise(missing.place, sentence)
    _on_secrets(secrets, diagnostics)


def _why_unsafe(file: Path) -> str | None:
    try:
        return resolve_path(file.absolute()).fault
    except OSError:  # it has been read, and is gone since
        return None


def _on_routes(webhooks: Webhooks, diagnostics: Diagnostics) -> None:
    if off := webhooks.off:
        diagnostics.advise(off.place, f"{off.reason}: nothing is served")
    elif not webhooks.served:
        place = (*webhooks.place, "config", "routes")
        diagnostics.advise(place, "no route is enabled: nothing is served")
    for route in webhooks.served:
        if fault := _why_unreachable(route.path):
            diagnostics.advise(route.path_place, f"no request reaches {route.path}, as it {fault}")
        keys = sum(len(one.declared) for one in webhooks.served if one.owner == route.owner)
        if route.separate_approver and keys == 1:
            sentence = "the only key of this session key lets flows wait that no other can resume"
            diagnostics.advise((*route.place, "separateApprover"), sentence)


def _why_unreachable(path: str) -> str | None:
    return next((fault for pattern, fault in _UNREACHABLE if pattern.search(path)), None)


def _on_files(config: Config, diagnostics: Diagnostics) -> None:
    key = config.gateway.checkpoints.key
    refs = [*(secret.ref for secret in config.secrets), None if key is None else key.ref]
    for name in dict.fromkeys(ref.provider for ref in refs if ref):
        provider = config.providers.usable[name]
        if not isinstance(provider, FileProvider) or provider.allow_insecure_path:
            continue
        if _is_open(provider.path):
            sentence = "every user of this machine can read the file"
            diagnostics.advise(("secrets", "providers", name, "path"), sentence)


def _here(place: ConfigPath, diagnostics: Diagnostics) -> str:
    """Return what is to be added of a file in which a secret itself is written."""
    is_open = _is_open(Path(diagnostics.source(place).file))
    return ", where every user of this machine can read it" if is_open else ""


def _is_open(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def _on_secrets(secrets: Secrets, diagnostics: Diagnostics) -> None:
    seen: list[tuple[Secret, ConfigPath]] = []
    for declared, secret in secrets.items():
        if not isinstance(secret, Secret):
            continue
        for sentence in _faults(declared, secret, _here(declared.place, diagnostics)):
            diagnostics.advise(declared.place, sentence)
        if twin := next((place for one, place in seen if one.is_same_as(secret)), None):
            diagnostics.advise(declared.place, f"the secret is the same as in {written(twin)}")
        seen.append((secret, declared.place))


def _faults(declared: DeclaredSecret, secret: Secret, here: str) -> Iterator[str]:
    if declared.ref is None:
        yield f"the secret is written here{here}: keep it elsewhere, and refer to it as ${{NAME}}"
    if secret.is_short:
        yield f"the secret has fewer than {SHORT} characters"
    if secret.is_quoted:
        yield "the secret is in quotes, which are part of it: an env file of Docker keeps them"
    if not secret.is_sendable:
        yield "the secret has a line break or another control character: no caller can send it"
