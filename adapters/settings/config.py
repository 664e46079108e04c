"""All that a configuration file says, read and checked, before any secret is resolved."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from adapters.settings.diagnostics import Diagnostics
from adapters.settings.fields import Node
from adapters.settings.includes import MergedDocument
from adapters.settings.providers import Providers, read_providers
from adapters.settings.proxies import Network, read_trusted_proxies
from adapters.settings.routes_config import Webhooks, read_webhooks
from adapters.settings.service import Service, read_service


@frozen
class Plan:
    """What is to be served, from which secrets, to whom, and how; and the files that say so."""

    webhooks: Webhooks
    providers: Providers
    trusted_proxies: tuple[Network, ...]
    service: Service
    files: tuple[str, ...]


def read_plan(
    document: MergedDocument, folder: Path, home: str | None, diagnostics: Diagnostics
) -> Plan:
    """Read a document; with problems noted in `diagnostics`, the plan is not to be used."""
    diagnostics.problems.extend(document.repeats)
    root = Node((), document.value, diagnostics).members()
    root.refuse_misspelt("gateway", "secrets", "plugins", "taskflow")
    providers = read_providers(root.object("secrets"), folder, home)
    service = read_service(root, folder, providers)
    return Plan(
        webhooks=read_webhooks(root, providers, service.limits),
        providers=providers,
        trusted_proxies=read_trusted_proxies(root),
        service=service,
        files=document.files,
    )
