"""All that a configuration file says, read and checked, before any secret is resolved."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import frozen

from adapters.settings.declarations import Webhooks, read_webhooks
from adapters.settings.document import Document
from adapters.settings.fields import Field
from adapters.settings.findings import FieldPath, Findings
from adapters.settings.providers import Providers, read_providers
from adapters.settings.proxies import Network, read_trusted_proxies
from adapters.settings.service import Service, read_service

_OURS: Final[tuple[FieldPath, ...]] = (
    ("gateway", "trustedProxies"),
    ("secrets", "providers"),
    ("plugins", "entries", "webhooks"),
    ("taskflow",),
)
"""The parts of an OpenClaw configuration that are read; all else is ignored."""


@frozen
class Plan:
    """What is to be served, from which secrets, to whom, and how."""

    webhooks: Webhooks
    providers: Providers
    trusted_proxies: tuple[Network, ...]
    service: Service


def read_plan(document: Document, folder: Path, home: str | None, findings: Findings) -> Plan:
    """Read a document; with problems noted in `findings`, the plan is not to be used."""
    _refuse_repeats(document, findings)
    root = Field((), document.value, findings).members()
    providers = read_providers(root.object("secrets"), folder, home)
    service = read_service(root, folder, providers)
    return Plan(
        webhooks=read_webhooks(root, providers, service.limits),
        providers=providers,
        trusted_proxies=read_trusted_proxies(root),
        service=service,
    )


def _refuse_repeats(document: Document, findings: Findings) -> None:
    """Note the keys given twice, in or around our own parts."""
    for repeat in document.repeats:
        if any(_overlaps(repeat.path, ours) for ours in _OURS):
            found = f"a second one (the first is in line {repeat.first_line})"
            findings.refuse(repeat.path, expected="each key once", found=found)


def _overlaps(one: FieldPath, other: FieldPath) -> bool:
    return all(mine == theirs for mine, theirs in zip(one, other, strict=False))
