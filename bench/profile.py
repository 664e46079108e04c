"""Where the time of one request goes, inside the application: `python -m bench.profile`.

The application is called in this process, without server and threads, while a timer interrupts it
after each millisecond of processor time; each time the innermost part of the path that is on the
stack counts. Unlike a tracing profiler this costs the many small calls nothing.
"""

from __future__ import annotations

import io
import itertools
import json
import logging
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Final
from wsgiref.types import WSGIApplication

from attrs import frozen

from adapters.composition.webhooks import gateway
from adapters.composition.writer import writing
from adapters.logs import TextFormatter, configure
from adapters.server import Head, HeadText
from adapters.settings import load_settings
from adapters.store import EventSourcedStore, open_for_writing
from adapters.webhooks.admission import Admission
from adapters.webhooks.resource import WebhookResource
from adapters.webhooks.responses import Response
from adapters.webhooks.wsgi import create_webhook_app
from bench.gateway import ROOT, configuration
from bench.load import SECRET
from bench.tables import table, write_between
from domain.flow.ids import RequestId

PAGE: Final = ROOT / "docs" / "benchmarks" / "profile.md"
SLICES: Final = 20
SECONDS: Final = 0.4
EVERY: Final = 0.001
PARTS: Final[Mapping[tuple[str, str], str]] = {
    ("webhooks/admission.py", "admit"): "admission",
    ("webhooks/admission.py", "log"): "log",
    ("webhooks/strict_json.py", "read_json"): "JSON and schema",
    ("webhooks/actions.py", "read_call"): "JSON and schema",
    ("webhooks/responses.py", "success"): "view and answer",
    ("presentation/wire_json.py", "flow_json"): "view and answer",
    ("application/views.py", "flow_view"): "view and answer",
    ("webhooks/responses.py", "write_response"): "view and answer",
    ("flow/decide.py", "decide"): "decide and evolve",
    ("flow/evolve.py", "fold"): "decide and evolve",
    ("application/recorded_events.py", "to_recorded_events"): "decide and evolve",
    ("store/mapper.py", "to_stored_event"): "encode",
    ("store/mapper.py", "to_domain_event"): "decode",
    ("store/paged_flows.py", "_one_json"): "store: read",
    ("store/store.py", "load_many"): "store: read",
    ("store/recorder.py", "append"): "store: insert",
    ("store/sqlite.py", "commit"): "store: commit and sync",
    ("falcon/app.py", "__call__"): "Falcon, and the rest of the path",
    ("bench/profile.py", "_environ"): "",
}
"""The functions that the parts of the path begin with; the empty part is the benchmark's own."""

_PATH: Final = "/plugins/webhooks/bench"
_HEAD: Final = Head(
    said=HeadText(
        method="POST",
        target=_PATH,
        version="1.1",
        headers=(("authorization", f"Bearer {SECRET}"), ("content-type", "application/json")),
    ),
    peer="127.0.0.1",
    request_id=RequestId("profile"),
)


@frozen
class Profile:
    """The microseconds of one request, in all and by part, the largest first."""

    action: str
    total: float
    parts: Mapping[str, float]


def main(argv: list[str]) -> None:
    """Profile both actions; print the tables, or with --write put them into the page."""
    text = "\n\n".join(_table(profile) for profile in profiles(SLICES)) + "\n"
    if "--write" in argv:
        write_between(PAGE, "profile", text)
    else:
        print(text)


def _table(profile: Profile) -> str:
    body = [[part, f"{us:.0f}", f"{us / profile.total:.0%}"] for part, us in profile.parts.items()]
    body.append(["in all", f"{profile.total:.0f}", "100%"])
    return table([f"`{profile.action}`", "µs", "share"], body)


def profiles(slices: int) -> list[Profile]:
    """Profile `get_flow` and `set_waiting`, each in so many slices of time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = open_for_writing(f"sqlite:///{folder / 'profile.db'}")
        try:
            with Path(os.devnull).open("w") as stream:
                log = configure(stream.fileno(), TextFormatter())
                try:
                    return _profiles(folder, store, slices)
                finally:
                    log.close()
        finally:
            logging.getLogger().handlers.clear()
            store.close()


def _profiles(folder: Path, store: EventSourcedStore, slices: int) -> list[Profile]:
    with writing(store) as writer:
        return _profiles_of(
            gateway(load_settings(configuration(folder), os.environ), store, writer), slices
        )


def _profiles_of(given: WebhookResource, slices: int) -> list[Profile]:
    send = _Caller(create_webhook_app(given), given.admission)
    flow_id = send(action="create_flow", goal="bench")["result"]["flow"]["flowId"]
    revisions = itertools.count()

    def get() -> None:
        send(action="get_flow", flowId=flow_id)

    def wait() -> None:
        place = {"flowId": flow_id, "expectedRevision": next(revisions)}
        send(action="set_waiting", waitJson={"kind": "approval"}, **place)

    return [_profiled("get_flow", get, slices), _profiled("set_waiting", wait, slices)]


@frozen
class _Caller:
    """Sends requests to the application as the server would."""

    wsgi: WSGIApplication
    admission: Admission

    def __call__(self, **document: object) -> dict[str, Any]:
        environ = _environ(json.dumps(document).encode())
        permit = self.admission.admit(_HEAD)
        if isinstance(permit, Response):
            raise SystemExit(f"the benchmark is wrong: {permit}")
        environ |= {"taskflow.permit": permit, "taskflow.request_id": "profile"}
        body = b"".join(self.wsgi(environ, _start_response))
        permit.release()
        answer: dict[str, Any] = json.loads(body)
        if not answer["ok"]:
            raise SystemExit(f"the benchmark is wrong: {answer}")
        return answer


def _environ(body: bytes) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": _PATH,
        "QUERY_STRING": "",
        "SERVER_NAME": "bench",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/json",
    }


def _start_response(_status: str, _headers: object, _fault: object = None) -> Callable[..., None]:
    return lambda _: None


def _profiled(action: str, run: Callable[[], None], slices: int) -> Profile:
    """Profile in slices of time, and keep the faster half: others use the machine, too."""
    taken = sorted((_slice(run) for _ in range(slices)), key=lambda each: each.per_request)
    kept = taken[: (slices + 1) // 2]
    found = sum((each.looks for each in kept), Counter[str]())
    per_request = sum(each.per_request for each in kept) / len(kept)
    parts = {
        part: 1e6 * per_request * looks / found.total()
        for part, looks in found.most_common()
        if part
    }
    return Profile(action, sum(parts.values()), parts)


@frozen
class _Slice:
    """The processor seconds of one request, and how often each part was found on the stack."""

    per_request: float
    looks: Counter[str]


def _slice(run: Callable[[], None]) -> _Slice:
    looks: Counter[str] = Counter()

    def look(_: int, frame: FrameType | None) -> None:
        looks[_part(frame)] += 1

    before = signal.signal(signal.SIGPROF, look)
    start, count = time.process_time(), 0
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
    try:
        while (elapsed := time.process_time() - start) < SECONDS:
            run()
            count += 1
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    return _Slice(elapsed / count, looks)


def _part(frame: FrameType | None) -> str:
    """Return the innermost part of the path on a stack."""
    while frame is not None:
        code = frame.f_code
        place = "/".join(Path(code.co_filename).parts[-2:])
        if (part := PARTS.get((place, code.co_name))) is not None:
            return part
        frame = frame.f_back
    return ""


if __name__ == "__main__":
    main(sys.argv[1:])
