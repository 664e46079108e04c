from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.cli import CommandError
from adapters.cli.atomic_write import Settle, atomic_write, keep


def test_a_file_has_no_name_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "whole"
    with atomic_write(path, keep) as file:
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
    with atomic_write(path, replace) as file:
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_process_that_is_told_to_stop_leaves_what_was_there(
    tmp_path: Path, number: signal.Signals
) -> None:
    path = tmp_path / "whole"
    path.write_bytes(b"old")
    with pytest.raises(SystemExit) as stopped:
        write(path, replace, lambda: os.kill(os.getpid(), number))
    assert stopped.value.code == 128 + number
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    assert signal.getsignal(number) is signal.SIG_DFL


def test_a_second_signal_does_not_cut_short_what_the_first_one_began(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        write(tmp_path / "whole", keep, stop_twice)
    assert stopped.value.code == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        write(tmp_path / "whole", keep, lambda: os.kill(os.getpid(), signal.SIGHUP))
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (tmp_path / "whole").read_bytes() == b"new"


def test_a_name_may_be_as_long_as_the_file_system_takes_it(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    write(path, keep, lambda: None)
    assert path.read_bytes() == b"new"


def test_a_file_that_cannot_be_made_is_named_as_it_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "whole"
    with pytest.raises(FileNotFoundError) as failed:
        write(path, keep, lambda: None)
    assert failed.value.filename == str(path)


def write(path: Path, settle: Settle, meanwhile: Callable[[], object]) -> None:
    with atomic_write(path, settle) as file:
        file.write(b"new")
        meanwhile()


def replace(written: Path, path: Path) -> None:
    written.replace(path)


def stop_twice() -> None:
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        os.kill(os.getpid(), signal.SIGHUP)


def interrupt() -> None:
    raise KeyboardInterrupt
