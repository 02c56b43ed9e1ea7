"""VTun.trace: the figures of connections in a file of JSON lines."""

import asyncio
import json
import os

import pytest


async def connect(pair):
    """Return the writer of a connection from a to b that b ends when a does."""

    async def serve(reader, writer):
        await reader.read()
        writer.close()

    server = await pair.b.start_server(serve, port=80)
    _, writer = await pair.a.open_connection(pair.address_b, 80)
    return server, writer


def samples(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_sample_has_ends_time_and_figures(with_pair, tmp_path):
    async def main(pair):
        server, writer = await connect(pair)
        with pair.a.trace(tmp_path / "a.jsonl", interval=0.001) as trace:
            async with asyncio.timeout(30):
                while len(samples(tmp_path / "a.jsonl")) < 3:
                    await asyncio.sleep(0)
        found = samples(tmp_path / "a.jsonl")
        assert trace.closed
        assert found[0]["remote"] == [pair.address_b, 80]
        assert found[0]["local"][0] == pair.address_a
        assert found[0]["state"] == "ESTABLISHED"
        assert found[0]["cwnd"] > 0
        assert [one["time"] for one in found] == sorted(one["time"] for one in found)
        writer.close()
        server.close()

    with_pair(main)


def test_closing_writes_a_last_sample_and_is_idempotent(with_pair, tmp_path):
    async def main(pair):
        server, writer = await connect(pair)
        trace = pair.a.trace(tmp_path / "a.jsonl", interval=3600)
        trace.close()
        trace.close()
        assert len(samples(tmp_path / "a.jsonl")) == 1
        writer.close()
        server.close()

    with_pair(main)


def test_it_ends_with_the_vtun_that_it_shows(with_pair, tmp_path):
    async def main(pair):
        server, _ = await connect(pair)
        trace = pair.a.trace(tmp_path / "a.jsonl", interval=3600)
        server.close()
        await pair.a.close(grace=0)
        assert trace.closed
        assert len(samples(tmp_path / "a.jsonl")) == 1

    with_pair(main)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is always full")
def test_a_full_disk_ends_the_trace_and_nothing_else(with_pair, caplog):
    async def main(pair):
        server, writer = await connect(pair)
        with pair.a.trace("/dev/full") as trace:
            trace.flush()
            assert trace.closed
        assert trace.error is not None
        assert "Recording ended" in caplog.text
        writer.close()
        server.close()

    with_pair(main)


def test_an_interval_of_nothing_is_an_error(with_pair, tmp_path):
    async def main(pair):
        with pytest.raises(ValueError, match="positive number of seconds, not 0"):
            pair.a.trace(tmp_path / "a.jsonl", interval=0)

    with_pair(main)
