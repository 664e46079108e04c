"""`taskflow flows list`: flows, newest first."""

from __future__ import annotations

from rich.text import Text

from adapters.cli.asks import ListFlows
from adapters.cli.exits import Exit
from adapters.cli.tables import REST, lines, standing, table
from adapters.cli.terminal import Terminal
from adapters.cli.tools import Tools
from adapters.presentation.documents import Document, flow_document
from adapters.presentation.printable import counted, to_the_second
from domain.application.ports import Page, itself
from domain.flow.state import Flow, cancel_pending


def list_flows(ask: ListFlows, tools: Tools, terminal: Terminal) -> Exit:
    """List a page of flows."""
    with tools.read_store(ask.config, ask.database) as flows:
        page = flows.page(
            ask.owner, limit=ask.limit, before=ask.cursor, status=ask.status, show=itself
        )
    if ask.json:
        terminal.dump(_document(page))
    else:
        _tell(page, terminal)
    return Exit.DONE


def _document(page: Page[Flow]) -> Document:
    rest = {} if page.next_cursor is None else {"nextCursor": str(page.next_cursor)}
    return {"flows": [flow_document(flow) for flow in page.flows], **rest}


def _tell(page: Page[Flow], terminal: Terminal) -> None:
    if not page.flows:
        terminal.say("No flows.")
        return
    shown = table("Flows", {"Flow, goal": REST, "Status": 16, "Updated, owner": 24})
    for flow in page.flows:
        shown.add_row(
            lines(flow.flow_id, flow.goal),
            standing(flow.status, *_progress(flow)),
            lines(to_the_second(flow.updated_at), flow.owner),
        )
    terminal.show(shown, Text(_ending(page)))


def _progress(flow: Flow) -> tuple[str, ...]:
    revision = f"revision {flow.revision}"
    if cancel_pending(flow):
        return revision, "cancel requested"
    return (revision,)


def _ending(page: Page[Flow]) -> str:
    shown = counted(len(page.flows), "flow")
    if page.next_cursor is None:
        return f"{shown}."
    return f"{shown}, and there are more: --cursor {page.next_cursor}"
