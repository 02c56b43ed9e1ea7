"""VTun.capture: what a pcapng reader that is not ours finds in the file."""

import io
import ipaddress
import os
import time

import dpkt
import pytest

from tests.aio import run, until
from ygg.vtun import VTun
from ygg.vtun import capture as capture_module


def read(data: bytes) -> list[tuple[float, dpkt.ip6.IP6]]:
    """Return (seconds since the epoch, packet) of each packet in a file."""
    reader = dpkt.pcapng.Reader(io.BytesIO(data))
    assert reader.datalink() == 229
    return [(float(stamp), dpkt.ip6.IP6(packet)) for stamp, packet in reader]


async def exchange(pair, text: bytes) -> bytes:
    """Send `text` over TCP to a server that answers in capitals."""

    async def answer(reader, writer):
        writer.write((await reader.readexactly(len(text))).upper())
        writer.close()

    async with await pair.b.start_server(answer, port=80):
        reader, writer = await pair.a.open_connection(pair.address_b, 80)
        writer.write(text)
        reply = await reader.read()
        writer.close()
    return reply


def test_a_conversation_can_be_read_back(with_pair, tmp_path):
    async def main(pair):
        before = time.time()
        with pair.a.capture(tmp_path / "a.pcapng") as capture:
            assert await exchange(pair, b"hello") == b"HELLO"
        assert capture.closed
        assert capture.error is None
        packets = read((tmp_path / "a.pcapng").read_bytes())
        assert len(packets) == capture.packets > 5
        assert capture.dropped == 0
        ends = {(ipaddress.ip_address(ip.src), ipaddress.ip_address(ip.dst)) for _, ip in packets}
        a, b = ipaddress.ip_address(pair.address_a), ipaddress.ip_address(pair.address_b)
        assert ends == {(a, b), (b, a)}
        assert packets[0][1].data.flags & dpkt.tcp.TH_SYN
        assert {bytes(ip.data.data) for _, ip in packets} == {b"", b"hello", b"HELLO"}
        assert all(before - 1 < stamp < time.time() + 1 for stamp, _ in packets)

    with_pair(main)


def test_what_is_recorded_is_in_the_file_soon(with_pair, tmp_path, monkeypatch):
    monkeypatch.setattr(capture_module, "INTERVAL", 0.01)

    async def main(pair):
        with pair.a.capture(tmp_path / "a.pcapng"):
            await pair.a.ping(pair.address_b)
            await until(lambda: len(read((tmp_path / "a.pcapng").read_bytes())) >= 2)

    with_pair(main)


def test_packets_are_cut_at_snaplen_and_keep_their_length(with_pair):
    async def main(pair):
        file = io.BytesIO()
        with pair.a.capture(file, snaplen=60):
            await pair.a.ping(pair.address_b, size=1000)
        assert not file.closed
        sizes = [len(packet) for _, packet in dpkt.pcapng.Reader(io.BytesIO(file.getvalue()))]
        assert sizes == [60, 60]
        assert {ip.plen for _, ip in read(file.getvalue())} == {1008}

    with_pair(main)


def test_direction_is_written_with_each_packet(with_pair):
    async def main(pair):
        file = io.BytesIO()
        with pair.a.capture(file):
            await pair.a.ping(pair.address_b)
        data = file.getvalue()
        assert [data.count(bytes([2, 0, 4, 0, way, 0, 0, 0])) for way in (1, 2)] == [1, 1]

    with_pair(main)


def test_packets_to_ourselves_are_recorded_once(with_pair):
    async def main(pair):
        file = io.BytesIO()
        with pair.a.capture(file):
            await pair.a.ping(pair.address_a)
        assert len(read(file.getvalue())) == 2

    with_pair(main)


def test_one_capture_at_a_time(with_pair):
    async def main(pair):
        first = pair.a.capture(io.BytesIO())
        with pytest.raises(ValueError, match="being recorded"):
            pair.a.capture(io.BytesIO())
        first.close()
        first.close()
        pair.a.capture(io.BytesIO()).close()

    with_pair(main)


def test_it_ends_with_the_vtun(with_pair):
    async def main(pair):
        file = io.BytesIO()
        capture = pair.a.capture(file)
        await pair.a.ping(pair.address_b)
        await pair.a.close()
        assert capture.closed
        assert len(read(file.getvalue())) == 2

    with_pair(main)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is always full")
def test_a_full_disk_ends_the_capture_and_nothing_else(with_pair, caplog):
    async def main(pair):
        with pair.a.capture("/dev/full") as capture:
            assert await exchange(pair, b"hello") == b"HELLO"
        assert capture.closed
        assert capture.error is not None
        assert "Recording ended" in caplog.text

    with_pair(main)


def test_a_path_that_cannot_be_written_is_an_error(with_pair, tmp_path):
    async def main(pair):
        with pytest.raises(FileNotFoundError):
            pair.a.capture(tmp_path / "missing" / "a.pcapng")
        assert pair.a.stack.capture is None

    with_pair(main)


def test_more_than_memory_holds_is_written_at_the_end_of_a_turn(with_pair, tmp_path):
    async def main(pair):
        with pair.a.capture(tmp_path / "a.pcapng") as capture:
            text = bytes(50 << 20)
            assert len(await exchange(pair, text)) == len(text)
        packets = read((tmp_path / "a.pcapng").read_bytes())
        assert len(packets) + capture.dropped == capture.packets
        assert sum(len(ip.data.data) for _, ip in packets) >= 2 * len(text) - capture.dropped * 65535

    with_pair(main)


def test_needs_an_open_vtun():
    async def main():
        vtun = VTun(["200:aaaa::1"])
        await vtun.close()
        with pytest.raises(OSError, match="closed"):
            vtun.capture(io.BytesIO())

    run(main())
