"""A process that forks while nodes run: the child can do nothing with them, and the parent's go on."""

import subprocess
import sys

import pytest

COMMON = """
import asyncio, gc, multiprocessing, os, sys
from ygg import Certificate, Core, NativeNetwork, PrivateKey, TCPTransport, TLSTransport, TransportManager, VTun
from ygg.errors import ForkedError
from ygg.transport import UnixTransport, WSTransport
from ygg_c.base import forks
from ygg_c.testing.payloads import send_payload

PATH = sys.argv[2]
LISTEN = {"unix": f"unix://{PATH}"}.get(sys.argv[1], f"{sys.argv[1]}://127.0.0.1:0")

async def echo(reader, writer):
    while data := await reader.read(4096):
        writer.write(data)
    writer.close()

def refuses(call, *arguments):
    try:
        call(*arguments)
    except ForkedError as error:
        assert "forked" in str(error)
        return
    raise AssertionError(f"{call} went on in the child")

def agree(a, b):
    (up,), (down,) = a.peers(), b.peers()
    return (up.bytes_received, up.bytes_sent) == (down.bytes_sent, down.bytes_received)

def manager(network, certificate):
    made = TransportManager(network)
    for transport in (TCPTransport(), TLSTransport(certificate), UnixTransport(), WSTransport(certificate)):
        made.register(transport)
    return made

async def main(fork):
    one, two = (Certificate(PrivateKey.from_seed(bytes([number]) * 32)) for number in (1, 2))
    async with NativeNetwork() as network, Core(one, manager(network, one)) as a, Core(two, manager(network, two)) as b:
        listener = await a.listen(LISTEN)
        await b.call_peer(str(listener.url))
        async with VTun.over(a) as left, VTun.over(b) as right:
            await left.start_server(echo, port=7)
            reader, writer = await right.open_connection(str(a.address), 7)
            writer.write(b"before")
            assert await reader.readexactly(6) == b"before"
            udp = await right.open_datagram()
            await fork(a, b, right, writer, listener, udp)
            udp.close()
            for _ in range(20):
                writer.write(b"after")
                assert await reader.readexactly(5) == b"after"
                await right.ping(str(a.address), timeout=30)
                await asyncio.sleep(0.02)
            if sys.argv[1] == "unix":
                assert os.path.exists(PATH)
            assert [len(core.peers()) for core in (a, b)] == [1, 1]
            while not agree(a, b):
                await asyncio.sleep(0.001)
            async with Core(Certificate(PrivateKey.from_seed(bytes([3]) * 32)), manager(network, one)) as c:
                await c.call_peer(str(listener.url))
            writer.close()
    print("done")

def ends(status):
    assert os.waitstatus_to_exitcode(status) == 0, status
"""

FORKS = """
async def fork(a, b, vtun, writer, listener, udp):
    engine, key = b.engine, b.engine.sessions()[0]["key"]
    pumps = [record.carrier.pump for core in (a, b) for record in core.links]
    pid = os.fork()
    if pid:
        ends((await asyncio.to_thread(os.waitpid, pid, 0))[1])
        return
    try:
        for call in (a.peers, a.counters, a.self_info, a.retry_peers_now, engine.turn, engine.request):
            refuses(call, *{engine.turn: (1, 1), engine.request: (key, "self", print)}.get(call, ()))
        refuses(send_payload, engine, key, b"\\2\\1")
        refuses(writer.write, b"from the child")
        address = str(a.address)
        for coroutine in (a.listen("tcp://127.0.0.1:0"), vtun.ping(address), vtun.open_connection(address, 7)):
            refuses(asyncio.run, coroutine)
        refuses(asyncio.run, listener.accept())
        refuses(asyncio.run, udp.recvfrom())
        listener.close()
        for pump in pumps:
            for method in ("readable", "writable"):
                getattr(pump, method, int)()
        for descriptor in forks.registered():
            raise AssertionError(descriptor)
        try:
            a.stop().send(None)
        except StopIteration:
            pass
        vtun._stack.close()
        del a, b, vtun, writer, pumps, engine
        gc.collect()
    except BaseException:
        import traceback
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
"""

PROCESSES = """
def child():
    async def fresh():
        certificate = Certificate(PrivateKey.from_seed(bytes([9]) * 32))
        async with NativeNetwork() as network:
            async with Core(certificate, manager(network, certificate)) as one:
                await one.listen("tcp://127.0.0.1:0")
                assert one.peers() == []
    asyncio.run(fresh())

async def fork(a, b, vtun, writer, listener, udp):
    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    await asyncio.to_thread(process.join)
    assert process.exitcode == 0, process.exitcode
"""


def outcome(program: str, *arguments: str) -> str:
    """Run a program and return what it printed."""
    command = [sys.executable, "-W", "ignore", "-c", COMMON + program + "\nasyncio.run(main(fork))\n", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("scheme", ["tcp", "tls", "unix", "ws"])
def test_a_child_is_refused_and_its_parent_goes_on(scheme: str, tmp_path: object) -> None:
    assert outcome(FORKS, scheme, f"{tmp_path}/socket") == "done\n"


@pytest.mark.parametrize("scheme", ["tcp", "tls"])
def test_a_child_that_runs_its_own_nodes(scheme: str, tmp_path: object) -> None:
    assert outcome(PROCESSES, scheme, f"{tmp_path}/socket") == "done\n"
