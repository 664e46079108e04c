"""Refusals and configurations of all gateways on a database are kept in it, and counted."""

from __future__ import annotations

from threading import Thread

from adapters.store import (
    read_configurations,
    read_refusals,
    record_configuration,
    recording_refusals,
)
from domain.flow.ids import FlowId, KeyId
from domain.history.configuration import Cause
from domain.history.refused_requests import Wanted
from tests.store.refused import ALL, MONDAY, NOON, a_call, kept_requests, no_fault, sums


def test_what_two_gateways_note_at_once_is_read_back_and_counted(url: str) -> None:
    def gateway(first: int) -> None:
        with recording_refusals(url, most=1000, on_fault=no_fault) as note:
            for number in range(first, first + 50):
                note(a_call(number, flow_id=FlowId(f"flow-{number}")))

    threads = [Thread(target=gateway, args=(first,)) for first in (0, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sums(url) == (100, 100, 0)
    assert sorted(kept_requests(url)) == sorted(f"request-{number}" for number in range(100))
    (call,) = read_refusals(url).of_flow(FlowId("flow-7"))
    assert call == a_call(7, flow_id=FlowId("flow-7"))


def test_the_oldest_are_dropped_and_stay_counted(url: str) -> None:
    with recording_refusals(url, most=3, on_fault=no_fault) as note:
        for number in range(10):
            note(a_call(number))
    assert sums(url) == (10, 3, 7)
    page = read_refusals(url).page(ALL, limit=2)
    assert [kept.call.request_id for kept in page.calls] == ["request-9", "request-8"]
    rest = read_refusals(url).page(ALL, limit=2, before=page.next_cursor)
    assert [kept.call.request_id for kept in rest.calls] == ["request-7"]


def test_refusals_are_found_by_what_they_are_of(url: str) -> None:
    with recording_refusals(url, most=100, on_fault=no_fault) as note:
        note(a_call(1))
        note(a_call(2, key_id=KeyId("july"), at=NOON + 1))
    wanted = Wanted(key_id=KeyId("july"), since=MONDAY, until=NOON + 2)
    assert [total.counted for total in read_refusals(url).totals(wanted)] == [1]
    assert read_refusals(url).turned_away(ALL) == []


def test_what_differs_of_a_configuration_is_recorded(url: str) -> None:
    for at, port in enumerate(("1", "1", "2")):
        record_configuration(url, lambda _, port=port: {"port": port}, at=at, cause=Cause.START)  # type: ignore[misc]  # the salt is not used
    second, first = read_configurations(url).page(limit=5).changes
    assert (second.at, first.at) == (2, 0)
    assert [(change.field, change.after) for change in second.changes] == [("port", "2")]
