"""Maps of routes in a running gateway: real payloads over sockets, a reload, the auditor's view."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from adapters.store import read_configurations, read_refusals
from domain.history.refused_requests import Wanted
from tests.whole.callers import Answer, Caller, Door, Request
from tests.whole.reloadable import OLD, Reloadable, document, route
from tests.whole.vitals import eventually

CREATE: Final = {"action": "create_flow", "fields": {"goal": "Look at {title}"}}


def send(made: Reloadable, **payload: object) -> Answer:
    door = Door("/plugins/webhooks/tracker", OLD)
    with Caller(made.gateway.place, door) as caller:
        return caller.ask(Request(payload))


def test_a_map_is_reloaded_and_what_it_refuses_is_kept(tmp_path: Path) -> None:
    made = Reloadable.in_folder(tmp_path, document({"tracker": route()}))
    with made.gateway as gateway:
        assert send(made, title="It leaks").status == 400
        made.reloaded(document({"tracker": route(map={"rules": [CREATE]})}))
        assert send(made, title="It leaks").result["flow"]["goal"] == "Look at It leaks"
        unmappable = send(made, headline="It leaks")
        assert (unmappable.status, unmappable.document["code"]) == (422, "unmappable")
        broken = {"rules": [{**CREATE, "fields": {"goal": "{title"}}]}
        refusal = made.refused(document({"tracker": route(map=broken)}))
        assert "map.rules[0].fields.goal: expected placeholders" in refusal
        assert send(made, title="It leaks").status == 200
        eventually(lambda: _kept(made) == ["create_flow"], "the refusal is kept")
        eventually(lambda: '"goal": "Look at {title}"' in _recorded(made), "the map is recorded")
        only = {"event": "{type}", "rules": [{"on": ["bug"], **CREATE}]}
        made.reloaded(document({"tracker": route(map=only)}))
        assert send(made, type="idea").document["skipped"] == "idea"
        eventually(lambda: " status=200 code=skipped " in gateway.logs, "it is logged")


def _kept(made: Reloadable) -> list[str]:
    page = read_refusals(made.url).page(Wanted(code="unmappable"), limit=9)
    return [kept.call.action for kept in page.calls]


def _recorded(made: Reloadable) -> str:
    newest = read_configurations(made.url).page(limit=1).changes[0]
    return next((one.after or "" for one in newest.changes if one.field.endswith(".map")), "")
