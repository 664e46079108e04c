"""Pages out of templates: what is put into one is escaped, and printed so that it plays no tricks.

APPSEC: goals, states and names come from callers, and a damaged store may hold anything. Every
value is escaped by the template engine, whatever the template; nothing is ever marked as safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final
from urllib.parse import quote, urlencode

from attrs import frozen
from jinja2 import Environment, PackageLoader, StrictUndefined

from adapters.pages.base_path import based, chosen_shard, file_address, shard_address
from adapters.presentation.answer_codes import http_status
from adapters.presentation.printable import (
    counted,
    lasting,
    printable,
    shortened,
    to_the_millisecond,
    to_the_second,
)
from domain.flow.ids import FlowId


@frozen
class Style:
    """The style sheet, and the address under which browsers may keep it."""

    sheet: bytes
    address: str


def read_static(name: str) -> bytes:
    """Return a file that is served as it is."""
    return files("adapters.pages").joinpath("static", name).read_bytes()


def _style() -> Style:
    sheet = read_static("style.css")
    return Style(sheet, f"/style.css?v={sha256(sheet).hexdigest()[:12]}")


STYLE: Final = _style()


def flow_address(flow_id: FlowId, **query: object) -> str:
    """Return the address of a flow's page."""
    return address(flow_path(flow_id), **query)


def flow_path(flow_id: FlowId) -> str:
    """Return the path of a flow's page."""
    return f"/flows/{quote(flow_id, safe='')}"


def proof_address(flow_id: FlowId, **query: object) -> str:
    """Return the address of the proof of an event, which `at` names by its version."""
    return address(f"/proofs/{quote(flow_id, safe='')}", **query)


def address(path: str, **query: object) -> str:
    """Return an address below the base path, with those parameters that are not None."""
    given = {name: value for name, value in query.items() if value is not None}
    return based(f"{path}?{urlencode(given)}" if given else path)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("adapters.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        printable=printable,
        http_status=http_status,
        shortened=shortened,
        second=to_the_second,
        millisecond=to_the_millisecond,
        counted=counted,
        duration=lasting,
    )
    environment.globals.update(
        style=STYLE.address,
        address=address,
        file_address=file_address,
        shard_address=shard_address,
        chosen_shard=chosen_shard,
        flow_address=flow_address,
        proof_address=proof_address,
    )
    return environment


_ENVIRONMENT: Final = _environment()


def render_page(template: str, values: Mapping[str, Any]) -> str:
    """Return a page."""
    return _ENVIRONMENT.get_template(template).render(values)
