"""What a line of the log looks like, and that nobody can forge one."""

from __future__ import annotations

import io
import json
import logging
import socket
from pathlib import Path

import pytest

from adapters.logs import JsonFormatter, TextFormatter, log_event
from adapters.logs.lines import FIELDS
from tests.whole.gateway import RunningGateway
from tests.whole.honest import logged


def line(formatter: logging.Formatter, fields: dict[str, object], fault: bool = False) -> str:  # noqa: FBT001, FBT002 - a test
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.Logger("test")  # noqa: LOG001 - one that nobody else has
    logger.addHandler(handler)
    if fault:
        try:
            raise ValueError("broken\nvery")  # noqa: TRY301 - a fault
        except ValueError:
            logger.exception("fault", extra={FIELDS: fields})
    else:
        log_event(logger, "request", fields)
    return stream.getvalue()


def test_a_line_of_text_has_its_fields_in_order_and_none_left_out() -> None:
    text = line(TextFormatter(), {"status": 200, "route": "zapier", "code": None, "flow": ""})
    assert text.split(" ", 1)[1] == 'INFO request status=200 route=zapier flow=""\n'


@pytest.mark.parametrize(
    "value", ["a b", "a\r\nINFO forged", 'say "x"', "é", "a=b c", "a b=c", "\x1b[31m"]
)
def test_no_value_leaves_its_line(value: str) -> None:
    text = line(TextFormatter(), {"flow_id": value})
    assert text.count("\n") == 1
    assert text.isascii()
    assert json.loads(text.split("flow_id=", 1)[1]) == value


def test_a_json_line_is_one_object() -> None:
    record = json.loads(line(JsonFormatter(), {"status": 200, "flow_id": "a\nb", "code": None}))
    del record["time"]
    assert record == {"level": "INFO", "event": "request", "status": 200, "flow_id": "a\nb"}


def test_a_fault_has_its_traceback_in_its_json_object() -> None:
    text = line(JsonFormatter(), {}, fault=True)
    assert text.count("\n") == 1
    assert "ValueError: broken" in json.loads(text)["traceback"]
    assert "ValueError: broken" in line(TextFormatter(), {}, fault=True)


def test_what_the_server_itself_refuses_is_logged_with_the_callers_address(tmp_path: Path) -> None:
    gateway = RunningGateway.of_contract(tmp_path)
    gateway.options = ("--json",)
    with gateway, socket.create_connection((gateway.place.host, gateway.place.port)) as caller:
        caller.sendall(b"nonsense\r\n\r\n")
        assert caller.makefile("rb").readline() == b"HTTP/1.1 400 Bad Request\r\n"
    (record,) = (each for each in logged(gateway) if each["event"] == "request")
    told = {name: record[name] for name in ("status", "code", "peer", "reason")}
    assert told == {
        "status": 400,
        "code": "bad_request",
        "peer": "127.0.0.1",
        "reason": "The request does not begin with a method",
    }
