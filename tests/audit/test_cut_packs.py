"""A pack from which events were cut shows it, or its verdict does not say that they are there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
from attrs import Factory, frozen

from adapters.audit.pack.verifier.pack_files import Pack
from adapters.audit.pack.verifier.report import verify, what_it_shows
from domain.history.audit_log import LogEntry
from domain.tlog.checkpoints import Unprovable
from tests.audit.cut_packs import cut
from tests.audit.logs import OWNERS, fill
from tests.audit.packs import Signed, signed_log, unpacked, verdict
from tests.store.tables import execute

FLOW: Final = "00000000-0000-4000-8000-000000000002"
OWNER: Final = OWNERS[1]
CANNOT: Final = (
    "It cannot show that a flow here has no later version, or that there is no other flow."
)
Keeps: TypeAlias = Callable[[LogEntry], bool]


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signed]:
    with signed_log(tmp_path_factory.mktemp("log")) as signed:
        yield signed


def without(*versions: int) -> Keeps:
    return lambda entry: entry.flow_id != FLOW or entry.version not in versions


@frozen
class Cut:
    """What is packed, what is kept of it, what the manifest then says, and what is said of it."""

    packed: dict[str, Any]
    keeps: Keeps
    said: str
    selection: dict[str, int | str] = Factory(dict)

    def made(self, signed: Signed, folder: Path) -> Path:
        """Return the folder of the pack that is left."""
        cut(unpacked(signed.pack(**self.packed), folder), signed, self.keeps, **self.selection)
        return folder


@pytest.mark.parametrize(
    "cut",
    [
        Cut({"flow_id": FLOW}, without(3), f"flow {FLOW}: version 3 is left out"),
        Cut({"flow_id": FLOW}, without(3, 4), f"flow {FLOW}: versions 3 to 4 are left out"),
        Cut({"flow_id": FLOW}, without(1), f"flow {FLOW}: version 1 is left out"),
        Cut({"owner": OWNER}, without(3), f"flow {FLOW}: version 3 is left out"),
        Cut({"since": 0}, without(3), f"flow {FLOW}: version 3 is left out"),
        Cut({}, without(3), f"flow {FLOW}: version 3 is left out", {"owner": OWNER}),
        Cut({}, without(1), f"flow {FLOW}: version 1 is left out", {"owner": OWNER}),
        Cut({"first": 2}, without(4), f"flow {FLOW}: version 4 is left out", {"owner": OWNER}),
        Cut({}, without(3), "position [0-9]+ is left out"),
        Cut({"flow_id": FLOW}, lambda _: False, "its field events is not what it should be"),
    ],
)
def test_a_version_that_is_cut_out_is_found_whatever_was_asked_for(
    signed: Signed, tmp_path: Path, cut: Cut
) -> None:
    code, said = verdict(cut.made(signed, tmp_path / "pack"), str(signed.signer.verifier))
    assert code == 1
    assert re.search(cut.said, " ".join(said.values())), said


@pytest.mark.parametrize(
    "cut",
    [
        Cut(
            {"flow_id": FLOW},
            without(),
            f"It shows versions 1 to 10 of flow {FLOW}, without a gap.",
        ),
        Cut(
            {"flow_id": FLOW},
            without(9, 10),
            f"It shows versions 1 to 8 of flow {FLOW}, without a gap.",
        ),
        Cut(
            {"flow_id": FLOW},
            without(1, 2),
            f"It shows versions 3 to 10 of flow {FLOW}, without a gap. The first versions of 1 flow"
            " are not here.",
            {"first": 2},
        ),
        Cut(
            {"since": 1_795_435_205_000, "until": 1_795_435_215_000},
            without(),
            "It shows 10 events of 4 flows, without a gap within any flow. The first versions of 4"
            " flows are not here.",
        ),
    ],
)
def test_a_verdict_says_what_a_pack_shows_and_what_it_cannot(
    signed: Signed, tmp_path: Path, cut: Cut
) -> None:
    assert shown(signed, cut.made(signed, tmp_path / "pack")) == f"{cut.said} {CANNOT}"


def test_a_verdict_on_a_range_says_that_all_events_are_there(
    signed: Signed, tmp_path: Path
) -> None:
    assert shown(signed, unpacked(signed.pack(first=20, last=73), tmp_path / "pack")) == (
        "It shows all events of the log from position 20 to 73: 54 events of 8 flows."
        " It cannot show what happened before position 20, or after position 73."
    )


def shown(signed: Signed, folder: Path) -> str:
    """Verify a pack, and return what it shows."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    pack = Pack(folder, manifest, [str(signed.signer.verifier)])
    assert verify(pack, lambda *_: None) == 0
    return " ".join(what_it_shows(pack))


def test_a_log_that_lacks_a_version_is_not_packed_whoever_signed_it(tmp_path: Path) -> None:
    with signed_log(tmp_path) as signed:
        fill(signed.service)
        execute(
            signed.audit_log.store,
            "UPDATE stored_events SET originator_version = 99 WHERE rowid = 160",
        )
        signed.sign()
        with pytest.raises(Unprovable, match=r"left out: see taskflow audit replay"):
            signed.pack()
