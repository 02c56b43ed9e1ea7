"""Records of what has happened."""

import json
from pathlib import Path

from ygg.simulation import Trace, TraceEvent, World


def test_records_tell_what_and_when(tmp_path: Path) -> None:
    with World() as world:
        world.trace = Trace()
        world.add(1)
        world.add(2)
        world.join(1, 2)
        world.run(1)
        world.remove(2)
        trace = world.trace
    events = [record.event for record in trace.events]
    assert events[:3] == ["added", "added", "joined"]
    assert events[-2:] == ["cut", "removed"]
    assert {record.event for record in trace.events[3:-2]} == {"bytes"}
    assert all(record.size > 0 and record.digest for record in trace.events[3:-2])
    assert trace.events[2] == TraceEvent(10**9, "joined", 1, 2)
    trace.write(tmp_path / "trace")
    lines = [json.loads(line) for line in (tmp_path / "trace").read_text().splitlines()]
    assert [TraceEvent(**line) for line in lines] == trace.events


def test_the_digest_is_of_all_records() -> None:
    one, same, other = Trace(), Trace(), Trace()
    for trace, data in ((one, b"x"), (same, b"x"), (other, b"y")):
        trace.note(5, "packet", 1, 2, data)
    assert one.digest() == same.digest() != other.digest()
