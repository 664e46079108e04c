"""What a command that writes a file does with names that are taken, by whatever it is."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import pytest

from adapters.cli import CommandError, Dependencies, output
from adapters.cli.output import Output
from tests.cli.test_export import FLOW, sign
from tests.cli.workbench import Ran, standing, taskflow

ROOT: Final = Path(__file__).parents[2]


def written(path: Path, *, force: bool = False, own: dict[Path, str] | None = None) -> None:
    with Output(path=path, own=own or {}, force=force).opened() as file:
        file.write(b"new")


@contextmanager
def refused(sentence: str) -> Iterator[None]:
    with pytest.raises((CommandError, OSError), match=re.escape(sentence)):
        yield


NULL, FULL = os.makedev(1, 3), os.makedev(1, 7)
"""Linux's devices that take everything, and nothing."""


def device(folder: Path, number: int) -> Path:
    """Make a device of one's own to write to.

    A guard that is missing must not cost the machine its /dev/null, which root can replace.
    """
    path = folder / f"device-{os.minor(number)}"
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, number)
        path.open("rb").close()
    except PermissionError:
        if os.geteuid() == 0:
            pytest.skip("devices cannot be made here")
        return Path("/dev/null" if number == NULL else "/dev/full")
    return path


@pytest.mark.parametrize("force", [True, False])
def test_a_device_is_written_to_as_it_is(tmp_path: Path, *, force: bool) -> None:
    null, link = device(tmp_path, NULL), tmp_path / "link"
    link.symlink_to(null)
    before = null.stat()
    for path in (null, link):
        written(path, force=force)
    assert os.path.samestat(null.stat(), before)
    assert link.is_symlink()
    full = device(tmp_path, FULL)
    with pytest.raises(OSError, match=rf"No space left on device: '{full}'"):
        written(full, force=force)


@pytest.mark.parametrize("force", [True, False])
def test_a_pipe_is_written_to_as_it_is(tmp_path: Path, *, force: bool) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["/bin/cat", pipe], stdout=subprocess.PIPE) as reader:  # noqa: S603
        try:
            written(pipe, force=force)
            assert reader.communicate()[0] == b"new"
        finally:
            reader.kill()
    assert pipe.is_fifo()


def test_a_pipe_that_nobody_reads_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "_READER_SECONDS", 0.1)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with refused("nobody reads from it: start its reader first"):
        written(pipe)


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder" / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to("folder/target")
    with refused("link exists already; --force replaces it"):
        written(link)
    assert target.read_bytes() == b"old"
    written(link, force=True)
    assert (link.is_symlink(), target.read_bytes()) == (True, b"new")
    assert list((tmp_path / "folder").iterdir()) == [target]


@pytest.mark.parametrize("force", [True, False])
def test_what_is_no_file_is_refused_and_force_is_not_advised(
    tmp_path: Path, *, force: bool
) -> None:
    names = {"folder": "is a folder", "nowhere": "leads nowhere", "socket": "is a socket"}
    (tmp_path / "folder").mkdir()
    (tmp_path / "nowhere").symlink_to("missing")
    (tmp_path / "loop").symlink_to("loop")
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(tmp_path / "socket"))
    for name, sentence in {**names, "loop": "Too many levels"}.items():
        before = standing(tmp_path / name)
        with refused(sentence):
            written(tmp_path / name, force=force)
        assert standing(tmp_path / name) == before
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"SQLite format 3\0 and more",
        b"PRIVATE+KEY+flows.example+00000000+AAAA\n",
        b"flows.example\n1\n" + b"A" * 43 + b"=\n\n",
    ],
)
def test_stores_keys_and_checkpoints_are_never_replaced(tmp_path: Path, content: bytes) -> None:
    path, link = tmp_path / "precious", tmp_path / "link"
    path.write_bytes(content)
    link.symlink_to(path)
    for name in (path, link):
        with refused("and is not replaced"):
            written(name, force=True)
    assert path.read_bytes() == content


def test_a_file_of_our_own_is_never_written_to(tmp_path: Path) -> None:
    own, hard, soft = tmp_path / "own", tmp_path / "hard", tmp_path / "soft"
    own.write_bytes(b"ours")
    hard.hardlink_to(own)
    soft.symlink_to(own)
    for path in (own, hard, soft, tmp_path / "missing"):
        names = {own: "the configuration", tmp_path / "missing": "a file of the store"}
        with refused(", and is not overwritten"):
            written(path, force=True, own=names)
    assert own.read_bytes() == b"ours"
    assert not (tmp_path / "missing").exists()


def test_a_disk_that_is_full_is_named_by_the_file_that_was_asked_for(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2, before[1]))
    try:
        with pytest.raises(OSError, match="large") as failed:
            written(tmp_path / "file")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert failed.value.filename == str(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_open_and_was_removed_gets_no_name(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as removed:
        path.unlink()
        with refused("is open, and has no name"):
            written(Path(f"/proc/self/fd/{removed.fileno()}"), force=True)
        assert list(tmp_path.iterdir()) == []
        path.with_name("file (deleted)").write_bytes(b"another's")
        with refused("is open, and has no name"):
            written(Path(f"/proc/self/fd/{removed.fileno()}"), force=True)
    assert path.with_name("file (deleted)").read_bytes() == b"another's"


def test_what_takes_a_name_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    opened = Output(path=path, own={}, force=True).opened()
    with refused("is a folder"), opened as file:
        file.write(b"new")
        path.unlink()
        path.mkdir()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("command", ["export", "prove"])
def test_each_command_spares_what_it_was_given(
    tools: Dependencies, seeded: str, path: Path, tmp_path: Path, command: str
) -> None:
    public, options = sign(tools, seeded, tmp_path)
    config = tmp_path / "gateway.json5"
    config.write_text(seeded)
    (tmp_path / "held").write_bytes((tmp_path / "notes").read_bytes())
    held = ("--held", str(tmp_path / "held")) if command == "prove" else ()
    names = ["notes", "notes.tiles", "gateway.json5", "signing.key", "held"]
    beside = ["", "-wal", "-shm", "-journal", ".lock", ".refusals", ".refusals-wal"]
    targets = [*(tmp_path / name for name in names), *(Path(f"{path}{end}") for end in beside)]
    for target in targets:
        before = target.read_bytes() if target.exists() else None
        chosen = (str(target),) if command == "export" else (FLOW, "1", "--out", str(target))
        argv = (*chosen, *held, *options, "--config", str(config), "--force")
        ran = taskflow(tools, "audit", command, *argv)
        assert (ran.code, ran.out) == (2, ""), target
        assert re.search(r"is not (overwritten|replaced)$", ran.err.strip()), ran
        assert (target.read_bytes() if target.exists() else None) == before
    assert public in options


@pytest.mark.parametrize("form", ["ndjson", "cloudevents", "pack"])
def test_an_export_to_a_device_says_what_went_there(
    tools: Dependencies, seeded: str, tmp_path: Path, form: str
) -> None:
    _, options = sign(tools, seeded, tmp_path)
    argv = ("--database", seeded, "--format", form, *options)
    plain = taskflow(tools, "audit", "export", str(tmp_path / "plain"), *argv)
    null = device(tmp_path, NULL)
    ran = taskflow(tools, "audit", "export", str(null), *argv)
    assert ran == Ran(0, plain.out.replace(str(tmp_path / "plain"), str(null)), "")
    assert null.is_char_device()


def test_standard_output_by_its_name_is_nothing_but_the_events(seeded: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app", "audit", "export", "--database", seeded]
    events = subprocess.run([*command, "-"], cwd=ROOT, capture_output=True, check=True)  # noqa: S603
    named = [*command, "/dev/stdout"]
    piped = subprocess.run(named, cwd=ROOT, capture_output=True, check=True)  # noqa: S603
    assert (piped.stdout, piped.stderr) == (events.stdout, b"")
    with (tmp_path / "events").open("wb") as file:
        file.write(b"before\n")
        file.flush()
        subprocess.run(named, cwd=ROOT, stdout=file, check=True)  # noqa: S603
    assert (tmp_path / "events").read_bytes() == b"before\n" + events.stdout


def test_a_stop_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_bytes(b"old")
    program = (
        "import sys, pathlib; from adapters.cli.output import Output\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "with Output(path=path, own={}, force=True).opened() as file:\n"
        "    file.write(b'new'); print('writing', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(folder / "file")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe) as running:  # noqa: S603
        assert running.stdout is not None
        assert running.stdout.readline() == b"writing\n"
        running.send_signal(signal.SIGTERM)
        assert running.wait() == 143
    assert [one.name for one in folder.iterdir()] == ["file"]
    assert (folder / "file").read_bytes() == b"old"


@pytest.mark.parametrize("kind", ["file", "folder", "nowhere", "loop", "pipe", "device"])
def test_a_key_is_put_over_nothing(tools: Dependencies, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "key"
    match kind:
        case "file":
            path.write_text("theirs")
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to(os.devnull)
        case _:
            path.symlink_to("missing" if kind == "nowhere" else path)
    before = standing(path)
    ran = taskflow(tools, "audit", "keygen", str(path), "--name", "flows.example")
    assert (ran.code, ran.out) == (2, "")
    assert "there is such a file already" in ran.err
    assert standing(path) == before
    assert list(tmp_path.iterdir()) == [path]
