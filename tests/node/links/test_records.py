"""ygg.node.links.records: which records there are, and what their states do to them."""

import pytest

from ygg.errors import ConnectionAborted, PeerExistsError
from ygg.node.links.lifecycle import Event, Kind, State
from ygg.node.links.records import LinkRecord, LinkRecords
from ygg.url import PeerURL


def record(number: int, kind: Kind, interface: str = "") -> LinkRecord:
    return LinkRecord(PeerURL.parse(f"tcp://127.0.0.1:{number}?priority=1"), interface, kind)


def test_a_record_is_known_by_its_url_without_options_and_its_interface() -> None:
    records = LinkRecords()
    one, other = record(1, Kind.PERSISTENT), record(1, Kind.PERSISTENT, "eth0")
    records.add(one)
    records.add(other)
    assert records.get(("tcp://127.0.0.1:1", "")) is one
    assert ("tcp://127.0.0.1:1", "eth0") in records
    with pytest.raises(PeerExistsError):
        records.add(record(1, Kind.EPHEMERAL))
    assert list(records) == [one, other]


def test_a_closed_record_is_forgotten_and_its_successor_is_not() -> None:
    records = LinkRecords()
    first, second = record(1, Kind.EPHEMERAL), record(1, Kind.EPHEMERAL)
    records.add(first)
    records.remove(first)
    records.add(second)
    assert records.happen(first, Event.FAILED) is State.CLOSED
    assert list(records) == [second]


def test_newcomers_are_those_that_came_in_and_are_not_proven() -> None:
    records = LinkRecords()
    dialed, first, second, third = record(1, Kind.PERSISTENT), *(record(n, Kind.INCOMING) for n in (2, 3, 4))
    for made in (dialed, first, second, third):
        records.add(made)
    records.happen(dialed, Event.DIAL)
    records.happen(dialed, Event.CONNECTED)
    assert records.newcomers == [first, second, third]
    records.happen(second, Event.ESTABLISHED)
    records.happen(third, Event.FAILED)
    assert records.newcomers == [first, second]
    records.happen(second, Event.PROVED)
    assert records.newcomers == [first]
    assert second in list(records)


def test_a_stopped_node_has_no_records_and_takes_none() -> None:
    records = LinkRecords()
    one = record(1, Kind.PERSISTENT)
    records.add(one)
    records.close()
    assert (one.state, list(records)) == (State.CLOSED, [])
    with pytest.raises(ConnectionAborted, match="stopped"):
        records.add(record(2, Kind.PERSISTENT))
