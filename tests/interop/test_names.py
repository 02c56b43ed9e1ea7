"""Names beside programs of others: dnsmasq knows them, dig asks for them."""

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.aio import on_loops
from tests.vtunpair import joined
from ygg.errors import ResolveError
from ygg.names import Kind, Names
from ygg.names.server import DnsServer
from ygg.network import NativeNetwork
from ygg.proxy import DatagramForward, Forward, overlay, overlay_udp, tcp, udp

pytestmark = [
    pytest.mark.skipif(shutil.which("dnsmasq") is None, reason="dnsmasq is not installed"),
    pytest.mark.skipif(shutil.which("dig") is None, reason="dig is not installed"),
]

SERVER = "202--1"
MANY = 60
RECORDS = [
    "--host-record=site.ygg,192.0.2.1,300::5", "--cname=alias.ygg,site.ygg", "--local=/ygg/",
    f"--host-record=www.{SERVER}.ygg,300::77",
    *(f"--host-record=many.ygg,300::{number:x}" for number in range(1, MANY)),
]


@contextlib.asynccontextmanager
async def dnsmasq() -> AsyncIterator[int]:
    """Run dnsmasq on a free port of 127.0.0.1, asking no other server; yield the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", f"--port={port}", "--no-resolv", "--no-hosts",
        "--listen-address=127.0.0.1", "--bind-interfaces", "--pid-file=", "--user=root", *RECORDS,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            assert process.returncode is None
            await asyncio.sleep(0.01)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def dig(at: str, *question: str) -> tuple[str, list[str]]:
    """Return the status and the sorted answers that dig has of a question."""
    host, _, port = at.rpartition(":")
    process = await asyncio.create_subprocess_exec(
        "dig", f"@{host}", "-p", port, "+timeout=30", "+tries=1", *question, stdout=asyncio.subprocess.PIPE
    )
    lines = (await process.communicate())[0].decode().splitlines()
    status = next(line.partition("status: ")[2].partition(",")[0] for line in lines if "status: " in line)
    return status, sorted(line.split()[-1] for line in lines if line and not line.startswith(";"))


@on_loops
async def test_dnsmasq_in_the_overlay_is_asked_and_dig_is_answered() -> None:
    async with contextlib.AsyncExitStack() as parts:
        pair = await parts.enter_async_context(joined(second=SERVER.replace("-", ":")))
        network: Any = await parts.enter_async_context(NativeNetwork())
        port = await parts.enter_async_context(dnsmasq())
        await parts.enter_async_context(DatagramForward(overlay_udp(pair.b, None, 53), udp("127.0.0.1", port)))
        await parts.enter_async_context(Forward(overlay(pair.b, None, 53), tcp("127.0.0.1", port)))
        names = Names(vtun=pair.a, alfis=[pair.address_b])
        for name, address in {"site.ygg": "300::5", "alias.ygg": "300::5", f"www.{SERVER}.ygg": "300::77"}.items():
            assert str(await names.resolve(name)) == address
        assert [str(one) for one in (await names.find("alias.ygg", Kind.A)).addresses] == ["192.0.2.1"]
        assert len((await names.find("many.ygg")).addresses) == 16     # cut off by UDP, all of them by TCP
        with pytest.raises(ResolveError, match=r"no such host: 'none\.ygg'"):
            await names.resolve("none.ygg")

        server = await parts.enter_async_context(DnsServer(names, network, port=0))
        for question, status, answers in [
            (["site.ygg", "AAAA"], "NOERROR", ["300::5"]),
            (["+tcp", "SITE.YGG", "A"], "NOERROR", ["192.0.2.1"]),
            (["+noedns", "alias.ygg", "AAAA"], "NOERROR", ["300::5"]),
            (["+dnssec", f"www.{SERVER}.ygg", "AAAA"], "NOERROR", ["300::77"]),
            (["none.ygg", "AAAA"], "NXDOMAIN", []),
            (["example.org", "A"], "REFUSED", []),
            (["site.ygg", "MX"], "NOTIMP", []),
            (["-x", "300::5"], "NOERROR", ["amaaaaaaaaaaaaaaaaaaaaaaau.meship."]),
        ]:
            assert await dig(server.address, *question) == (status, answers), question
