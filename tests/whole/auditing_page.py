"""The examples of `docs/auditing.md`: run for real, against a store that a real gateway filled.

Every `sh` block is typed into one shell, in a folder with the gateway's files; the `text` block
beneath it is what it prints. `python -m tests.whole.auditing_page` writes those blocks again.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final, Self

from attrs import frozen

from tests.whole.gateway import RunningGateway

PAGE: Final = Path(__file__).parents[2] / "docs" / "auditing.md"
CONFIG: Final = """\
{
  plugins: { entries: { webhooks: { config: { routes: {
    zapier: { sessionKey: "agent:main:main", secrets: { "2026-11": "the-secret-of-zapier" } },
    n8n: { sessionKey: "agent:main:automation", secret: "the-secret-of-n8n" },
  } } } } },
  secrets: { providers: {
    signing: { source: "file", path: "signing.key", mode: "singleValue" },
  } },
  taskflow: {
    store: { url: "sqlite:///taskflow.db" },
    audit: {
      checkpoints: "taskflow.checkpoints",
      key: { source: "file", provider: "signing", id: "value" },
      everyMinutes: 1440,
    },
  },
}
"""
_BLOCK = re.compile(r"^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z|\b1[0-9]{12}\b")
_HASH = re.compile(r"\b[0-9a-f]{64}\b")
_TYPED_AGAIN = re.compile(f"{_ID.pattern}|{_TIME.pattern}|{_HASH.pattern}")
"""What an example may take from the output of one before it."""
_VARYING = {
    "<time>": _TIME,
    "<date>": re.compile(r"\b20\d\d-\d\d-\d\d\b"),
    "<hash>": _HASH,
    "<base64>": re.compile(r"[A-Za-z0-9+/]{43}[A-Za-z0-9+/=]*"),
    "<key hash>": re.compile(r"(?<=\+)[0-9a-f]{8}(?=\+)"),
    "<size>": re.compile(r"\b[\d,]+ bytes\b"),
    "<duration>": re.compile(r"\b\d+(?:\.\d+)? (?:ms|s|seconds)\b"),
}


@frozen
class Example:
    """What is typed, and what the page says that it prints."""

    typed: str
    printed: str


def examples(page: str) -> list[Example]:
    """Return the examples of a page, in order."""
    return [Example(typed, printed) for typed, printed in _BLOCK.findall(page)]


def masked(text: str) -> str:
    """Return a text with its ids numbered as they appear, and what else varies levelled."""
    ids: dict[str, str] = {}
    text = _ID.sub(lambda found: ids.setdefault(found[0], f"<id {len(ids)}>"), text)
    for name, varying in _VARYING.items():
        text = varying.sub(name, text)
    return text


def same_places(said: str, got: str) -> dict[str, str]:
    """Return what a page says and may be typed again, with what stands in its place in our run."""
    return dict(zip(_TYPED_AGAIN.findall(said), _TYPED_AGAIN.findall(got), strict=False))


@frozen
class Shell:
    """One shell for all examples, so that a variable that is set stays set."""

    process: subprocess.Popen[str]

    @classmethod
    @contextmanager
    def opened(cls, folder: Path) -> Iterator[Self]:
        """Open a shell in a folder, with our own `taskflow` before any other."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        with subprocess.Popen(
            ["sh"],  # noqa: S607 - whichever sh a reader has
            cwd=folder,
            env={**os.environ, "PATH": path, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        ) as process:
            yield cls(process)

    def type(self, text: str) -> str:
        """Type a block, and return all that it prints."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{text}\necho '<end>'\n")
        self.process.stdin.flush()
        return "".join(iter(self.process.stdout.readline, "<end>\n"))


def printed_and_said(
    shown: Iterable[Example], type_in: Callable[[Example, str], str]
) -> tuple[list[str], list[str]]:
    """Type examples, each as it is in our run; return what they print, and what the page says."""
    said, got = "", ""
    places: dict[str, str] = {}
    for example in shown:
        typed = example.typed
        for old, new in places.items():
            typed = typed.replace(old, new)
        printed = type_in(example, typed)
        places |= same_places(example.printed, printed)
        said += f"$ {example.typed}{example.printed}"
        got += f"$ {typed}{printed}"
    return masked(got).splitlines(), masked(said).splitlines()


@contextmanager
def audited(folder: Path) -> Iterator[Shell]:
    """Fill a store by a real gateway, and open a shell beside its files."""
    config = folder / "gateway.json5"
    config.write_text(CONFIG, encoding="utf-8")
    config.chmod(0o600)
    with RunningGateway(folder, config) as gateway:
        tell_the_story(gateway)
    with Shell.opened(folder) as shell:
        yield shell


def tell_the_story(gateway: RunningGateway) -> None:
    """Bring about what the page looks at: an invoice whose amount changed on its way."""

    def post(action: str, **fields: object) -> Any:  # noqa: ANN401 - JSON
        return _post(gateway, "zapier", {"action": action, **fields})

    opened = post("create_flow", goal="Pay invoice 4711", stateJson={"amount": 1200})
    flow = opened["flow"]["flowId"]
    work = {"runtime": "acp", "task": "Ask the supplier"}
    task = post("run_task", flowId=flow, **work)["task"]["taskId"]
    child = {"flowId": flow, "taskId": task}
    post("update_task", **child, status="running", progressSummary="mail sent")
    waiting = {"currentStep": "approval", "waitJson": {"kind": "approval"}}
    post("set_waiting", flowId=flow, expectedRevision=0, **waiting)
    post("resume_flow", flowId=flow, expectedRevision=0)
    changed = {"stateJson": {"amount": 12000}}
    post("resume_flow", flowId=flow, expectedRevision=1, status="running", **changed)
    _post(gateway, "n8n", {"action": "finish_flow", "flowId": flow, "expectedRevision": 2})
    post("update_task", **child, status="succeeded", terminalSummary="confirmed")
    post("finish_flow", flowId=flow, expectedRevision=2)
    _post(gateway, "n8n", {"action": "create_flow", "goal": "Archive the mail"})


def _post(gateway: RunningGateway, route: str, body: object) -> Any:  # noqa: ANN401 - JSON
    place = gateway.place
    connection = HTTPConnection(place.host, place.port, timeout=10)
    secret = f"Bearer the-secret-of-{route}"
    headers = {"Authorization": secret, "Content-Type": "application/json"}
    connection.request("POST", f"/plugins/webhooks/{route}", json.dumps(body), headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer["result"]


def rewritten(page: str, shell: Shell, shown: Callable[[str], str] = str) -> str:
    """Return a page with what its examples print now, as it is shown."""
    ids: dict[str, str] = {}

    def run(found: re.Match[str]) -> str:
        typed, said = found[1], found[2] or ""
        for old, new in ids.items():
            typed = typed.replace(old, new)
        got = shown(shell.type(typed))
        ids.update(same_places(said, got))
        return f"```sh\n{typed}```\n" + (f"\n```text\n{got}```\n" if got else "")

    return _BLOCK.sub(run, page)


def _main() -> None:
    with tempfile.TemporaryDirectory() as folder, audited(Path(folder)) as shell:
        PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8"), shell), encoding="utf-8")


if __name__ == "__main__":
    _main()
