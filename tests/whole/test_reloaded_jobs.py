"""What a gateway does by itself follows its settings from a reload on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from adapters.audit.keys import Signer
from tests.whole.callers import Caller, Door
from tests.whole.reloadable import OLD, Reloadable, document, route
from tests.whole.vitals import eventually

KEY: Final = Signer.generate("flows.example")
OTHER: Final = Signer.generate("other.example")


def configuration(audit: Mapping[str, object], **others: object) -> dict[str, object]:
    return document(
        {"zapier": route(limits={"rateRequests": 100_000})}, taskflow={"audit": audit, **others}
    )


def create(made: Reloadable) -> str:
    with Caller(made.gateway.place, Door(secret=OLD)) as caller:
        flow_id: str = caller.act("create_flow", goal="g").result["flow"]["flowId"]
        return flow_id


def signed_by(file: Path) -> str:
    return file.read_text("utf-8") if file.exists() else ""


def test_checkpoints_begin_move_and_end_with_a_reload(tmp_path: Path) -> None:
    for name, key in (("a", KEY), ("b", OTHER)):
        (tmp_path / name).write_text(key.secret_text())
        (tmp_path / name).chmod(0o600)
    providers = {
        name: {"source": "file", "path": name, "mode": "singleValue"} for name in ("a", "b")
    }

    def signing(name: str, every: float) -> dict[str, object]:
        ref = {"source": "file", "provider": name, "id": "value"}
        audit = {"key": ref, "checkpoints": f"{name}.checkpoints", "everyMinutes": every}
        return {**configuration(audit), "secrets": {"providers": providers}}

    made = Reloadable.in_folder(tmp_path, configuration({}))
    with made.gateway:
        create(made)
        made.reloaded(signing("a", 0.01))
        eventually(lambda: "flows.example" in signed_by(tmp_path / "a.checkpoints"), "a signs")
        made.reloaded(signing("b", 0.01))
        eventually(lambda: "other.example" in signed_by(tmp_path / "b.checkpoints"), "b signs")
        held = signed_by(tmp_path / "a.checkpoints")
        (tmp_path / "b").write_text("nothing that signs")
        made.reloaded(signing("b", 0.01))  # a key that is written as it was is not looked up
        said = made.refused(signing("b", 0.02))
        assert said.startswith("no checkpoint will be signed: the signing key is not of the form ")
        create(made)
        made.reloaded(configuration({}))
        assert signed_by(tmp_path / "a.checkpoints") == held


def test_a_command_with_the_signing_key_does_not_run_for_a_reload_of_others(
    tmp_path: Path,
) -> None:
    command, answer = tmp_path / "vault", {"protocolVersion": 1, "values": {"k": KEY.secret_text()}}
    (tmp_path / "answer").write_text(json.dumps(answer))
    command.write_text(
        f"#!/bin/sh\ncat > /dev/null\necho >> {tmp_path}/runs\ncat {tmp_path}/answer\n"
    )
    command.chmod(0o700)
    secrets = {"providers": {"vault": {"source": "exec", "command": str(command)}}}
    audit = {"key": {"source": "exec", "provider": "vault", "id": "k"}, "everyMinutes": 600}
    signing = {**configuration(audit), "secrets": secrets}
    made = Reloadable.in_folder(tmp_path, signing)
    with made.gateway:
        runs = (tmp_path / "runs").read_text()
        made.reloaded({**configuration(audit, children={"sweepSeconds": 3}), "secrets": secrets})
        assert (tmp_path / "runs").read_text() == runs


def test_children_are_given_up_by_the_pace_of_a_reload(tmp_path: Path) -> None:
    made = Reloadable.in_folder(tmp_path, configuration({}))
    with made.gateway, Caller(made.gateway.place, Door(secret=OLD)) as caller:
        flow = {"flowId": create(made)}
        caller.act("run_task", **flow, runtime="acp", task="t")
        assert caller.act("cancel_flow", **flow).status == 202
        made.reloaded(configuration({}, children={"lostAfterSeconds": 1, "sweepSeconds": 0.2}))
        eventually(
            lambda: caller.act("get_flow", **flow).result["flow"]["status"] == "cancelled",
            "the flow is cancelled, as its child is given up",
        )
