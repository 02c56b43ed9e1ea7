"""tools/plot: connections out of captures and traces, and their pictures."""

import asyncio
import time

import pytest

from plotting import capture, trace
from plotting.__main__ import main
from tests.vtunpair import with_pair

__all__ = ["with_pair"]

SIZE = 200_000


@pytest.fixture
def recorded(with_pair, tmp_path):
    """Record a transfer of SIZE bytes of which one packet is lost; return the paths of capture and trace."""
    paths = tmp_path / "a.pcapng", tmp_path / "a.jsonl"

    async def transfer(pair):
        lost = []

        def passes(packet):
            if not lost and len(packet) > 1000:
                lost.append(packet)
                return False
            return True

        async def serve(reader, writer):
            writer.write(str(len(await reader.read(-1))).encode())
            writer.close()

        async with await pair.b.start_server(serve, port=80, limit=1 << 20):
            with pair.a.capture(paths[0]), pair.a.trace(paths[1], interval=3600) as trace_file:
                reader, writer = await pair.a.open_connection(pair.address_b, 80)
                pair.wire.passes = passes
                trace_file.flush()
                writer.write(bytes(SIZE))
                trace_file.flush()
                writer.write_eof()
                assert await reader.read() == str(SIZE).encode()
                await asyncio.sleep(0)
                writer.close()
                pair.wire.passes = lambda packet: True
        assert lost

    with_pair(transfer, mtu=1500)
    return paths


def test_a_capture_tells_what_was_sent_again_and_acknowledged(recorded):
    (connection,) = capture.read(recorded[0])
    assert connection.ends[1] == ("200:bbbb::1", 80)
    assert connection.busier == 0
    way = connection.ways[0]
    again = [(start, end) for _, start, end, again in way.segments if again]
    assert again
    assert max(end for _, _, end, _ in way.segments) == SIZE + 1        # the SYN is position 0
    assert way.acknowledged[-1][1] == SIZE + 2                          # and the FIN the last
    assert any(start <= again[0][0] < low for _, start, _, _ in way.segments for _, low, _ in way.sacked)
    assert all(0 <= took < 20 for _, took in way.round_trips)
    assert way.round_trips
    assert max(flight for _, flight in way.flights) > 1448
    assert way.windows[-1][1] >= way.acknowledged[-1][1]


def test_a_trace_tells_what_the_connection_said(recorded):
    before = time.time()
    (found,) = trace.read(recorded[1])
    assert found.ends[1] == ("200:bbbb::1", 80)
    times, windows = found.series("cwnd")
    assert len(times) == len(windows) > 0
    assert all(before - 60 < when <= before for when in times)
    assert found.series("no such figure") == ([], [])


@pytest.mark.parametrize("files", [(0,), (1,), (0, 1)], ids=["capture", "trace", "both"])
def test_pictures(recorded, tmp_path, files, capsys):
    picture = tmp_path / "picture.svg"
    assert main([*(str(recorded[one]) for one in files), "--output", str(picture)]) == 0
    assert capsys.readouterr().out == f"{picture}\n"
    assert picture.read_text().startswith("<?xml")
    assert len(picture.read_bytes()) > 10_000


def test_listing_and_choosing(recorded, tmp_path, capsys):
    assert main([str(recorded[0]), "--list"]) == 0
    assert capsys.readouterr().out.startswith("0  [200:aaaa::1]:")
    assert main([str(recorded[0]), "--connection", "1", "--output", str(tmp_path / "x.svg")]) == 1
    assert "connections 0 to 0, not 1" in capsys.readouterr().err


def test_sequence_numbers_wrap():
    way = capture.Way()
    assert way.position(0xFFFFFF00) == 0
    way.sends(1.0, 0, 0x80)
    assert way.position(0x10) == 0x110
    assert way.position(0xFFFFFE00) == -0x100


@pytest.mark.parametrize("content", [b"not a capture", b'{"time": 1}', b""], ids=["text", "json", "empty"])
def test_other_files_are_errors(tmp_path, capsys, content):
    path = tmp_path / "other"
    path.write_bytes(content)
    assert main([str(path)]) == 1
    assert capsys.readouterr().err.startswith("tools/plot: ")


def test_a_missing_file_is_an_error(tmp_path, capsys):
    assert main([str(tmp_path / "none")]) == 1
    assert "No such file" in capsys.readouterr().err
