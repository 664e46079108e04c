from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.cli import CommandError
from adapters.cli.whole_file import Settle, keep, whole_file


def test_a_file_has_no_name_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "whole"
    with whole_file(path, keep) as file:
        file.write(b"half")
        assert not path.exists()
        file.write(b" and half")
    assert path.read_bytes() == b"half and half"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_another_made_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "whole"
    with pytest.raises(CommandError, match="exists already"):
        write(path, keep, lambda: path.write_bytes(b"theirs"))
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_there_stays_until_the_new_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "whole"
    path.write_bytes(b"old")
    with whole_file(path, replace) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_an_interruption_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "whole"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        write(path, replace, interrupt)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_process_that_is_told_to_stop_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "whole"
    path.write_bytes(b"old")
    with pytest.raises(SystemExit) as stopped:
        write(path, replace, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert stopped.value.code == 143
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def write(path: Path, settle: Settle, meanwhile: Callable[[], object]) -> None:
    with whole_file(path, settle) as file:
        file.write(b"new")
        meanwhile()


def replace(written: Path, path: Path) -> None:
    written.replace(path)


def interrupt() -> None:
    raise KeyboardInterrupt
