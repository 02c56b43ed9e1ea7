"""ygg.network.native.resolver: names with a finder that answers when told."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.aio import on_loops, settle, until
from ygg import NativeNetwork
from ygg.errors import NetworkDown, ResolveError
from ygg.network.native import resolver
from ygg.network.native.resolver import Resolver


class Finder:
    """Answers each name once it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._told: dict[str, threading.Event] = {}
        self._all = False

    def __call__(self, name: str) -> list[str]:
        self.asked.append(name)
        if not self._all:
            self._told.setdefault(name, threading.Event()).wait(30)
        if name.startswith("bad"):
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        return ["192.0.2.1", "192.0.2.2", "192.0.2.1"]

    def tell(self, name: str) -> None:
        self._told.setdefault(name, threading.Event()).set()

    def tell_all(self) -> None:
        self._all = True
        for told in list(self._told.values()):
            told.set()


@pytest.fixture
def finder() -> Iterator[Finder]:
    finder = Finder()
    yield finder
    finder.tell_all()
    for thread in threading.enumerate():
        if thread.name.startswith("ygg name"):
            thread.join(30)


async def ended(*tasks: "asyncio.Task[list[str]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@on_loops
async def test_an_address_needs_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    loop = asyncio.get_running_loop()
    async with NativeNetwork() as network:
        assert await network.resolve("127.0.0.1") == ["127.0.0.1"]
        assert await network.resolve("fe80::1%lo") == ["fe80::1%lo"]
        listener = await network.listen_stream("127.0.0.1", 0)
        port = int(listener.address.rpartition(":")[2])
        (await network.connect_stream("127.0.0.1", port)).abort()
        one, _ = await network.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0), ("127.0.0.1", port))
        one.close()
    assert getattr(loop, "_default_executor", None) is None


@on_loops
async def test_askers_share_a_question_and_each_has_its_answer(finder: Finder) -> None:
    names = Resolver(finder)
    tasks = [asyncio.create_task(names.resolve("one")) for _ in range(3)]
    await until(lambda: finder.asked)
    await ended(tasks[0])
    finder.tell("one")
    first, second = await asyncio.gather(*tasks[1:])
    assert first == second == ["192.0.2.1", "192.0.2.2"]
    assert first is not second
    assert finder.asked == ["one"]


@on_loops
async def test_loops_in_several_threads_share_a_resolver(finder: Finder) -> None:
    names, found = Resolver(finder), []
    other = threading.Thread(target=lambda: found.append(asyncio.run(names.resolve("one"))))
    other.start()
    task = asyncio.create_task(names.resolve("one"))
    await until(lambda: finder.asked)
    finder.tell("one")
    assert await task == ["192.0.2.1", "192.0.2.2"]
    await until(lambda: found)
    other.join()
    assert found == [["192.0.2.1", "192.0.2.2"]]


@on_loops
async def test_what_cannot_be_found(finder: Finder) -> None:
    names = Resolver(finder)
    finder.tell_all()
    with pytest.raises(ResolveError, match=r"^bad: try again$") as caught:
        await names.resolve("bad")
    assert caught.value.errno == socket.EAI_AGAIN
    for name in ("a\0b", "x" * 64 + ".example", "\ud800"):
        with pytest.raises(ResolveError, match="is not a host name"):
            await resolver.resolve(name)
    none = Resolver(lambda name: [])
    with pytest.raises(ResolveError, match=r"^void: no address$"):
        await none.resolve("void")


@on_loops
async def test_the_answer_of_a_loop_that_is_gone_troubles_no_other(finder: Finder) -> None:
    names = Resolver(finder)

    async def brief() -> None:
        task = asyncio.create_task(names.resolve("one"))
        await until(lambda: finder.asked)
        task.cancel()

    other = threading.Thread(target=lambda: asyncio.run(brief()))
    other.start()
    await until(lambda: not other.is_alive())
    task = asyncio.create_task(names.resolve("one"))
    await settle()
    finder.tell("one")
    assert await task


@on_loops
async def test_a_late_answer_is_kept_for_the_next_question(finder: Finder) -> None:
    names = Resolver(finder)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await names.resolve("slow")
    finder.tell("slow")
    await until(lambda: not names.running)
    assert await names.resolve("slow") == ["192.0.2.1", "192.0.2.2"]
    assert finder.asked == ["slow"]
    assert await names.resolve("slow")
    assert finder.asked == ["slow", "slow"]


@on_loops
async def test_a_late_answer_is_not_kept_for_long(finder: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    names = Resolver(finder)
    await ended(asyncio.create_task(names.resolve("never started")))
    task = asyncio.create_task(names.resolve("slow"))
    await until(lambda: finder.asked)
    await ended(task)
    finder.tell_all()
    await until(lambda: not names.running)
    monkeypatch.setattr(resolver, "LATE", 0.0)
    assert await names.resolve("slow")
    assert finder.asked.count("slow") == 2


@on_loops
async def test_a_name_without_an_answer_has_none(finder: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "PATIENCE", 0.01)
    with pytest.raises(ResolveError, match=r"^slow: no answer within 0\.01 s$"):
        await Resolver(finder).resolve("slow")


@on_loops
async def test_threads_are_bounded_and_names_wait_in_order(finder: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "MOST_THREADS", 2)
    names = Resolver(finder)
    tasks = [asyncio.create_task(names.resolve(f"n{number}")) for number in range(5)]
    await until(lambda: len(finder.asked) == 2)
    await settle()
    assert (len(names.running), len(names.waiting)) == (2, 3)
    await ended(tasks[2])  # it waits no more, and is not asked for
    finder.tell("n0")
    await until(lambda: len(finder.asked) == 3)
    assert finder.asked[2] == "n3"
    finder.tell_all()
    assert await asyncio.gather(*tasks[:2], *tasks[3:]) == [["192.0.2.1", "192.0.2.2"]] * 4
    assert "n2" not in finder.asked
    assert not names.running
    assert not names.waiting


@on_loops
async def test_names_that_hung_leave_room_for_others(finder: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "MOST_THREADS", 4)
    monkeypatch.setattr(resolver, "MOST_UNANSWERED", 2)
    names = Resolver(finder)
    dead = [asyncio.create_task(names.resolve(f"dead{number}")) for number in range(4)]
    await until(lambda: len(finder.asked) == 4)
    await ended(*dead)
    finder.tell_all()
    await until(lambda: not names.running)
    finder._all = False
    names.late.clear()
    finder._told.clear()
    again = [asyncio.create_task(names.resolve(f"dead{number}")) for number in range(4)]
    await settle()
    assert (len(names.running), len(names.waiting)) == (2, 2)
    good = asyncio.create_task(names.resolve("good"))
    await until(lambda: "good" in finder.asked)
    finder.tell("good")
    assert await good
    finder.tell_all()
    assert len(await asyncio.gather(*again)) == 4  # answered, they are as good as others
    assert not names.unanswered


@on_loops
async def test_a_name_of_the_hosts_file_never_waits(
    finder: Finder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("# local\n192.0.2.1 Mine.example other # comment.example\n\nbroken\n")
    monkeypatch.setattr(resolver, "MOST_THREADS", 1)
    monkeypatch.setattr(resolver, "HOSTS", hosts)
    names = Resolver(finder)
    tasks = [asyncio.create_task(names.resolve(name)) for name in ("dead", "comment.example", "mine.example", "OTHER")]
    await until(lambda: len(finder.asked) == 3)
    assert set(finder.asked) == {"dead", "mine.example", "OTHER"}
    finder.tell_all()
    await asyncio.gather(*tasks)
    hosts.unlink()
    assert resolver.names_in(hosts) == frozenset()


@on_loops
async def test_without_a_thread_to_be_had(finder: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    names = Resolver(finder)
    start = threading.Thread.start

    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    with pytest.raises(ResolveError, match="no thread"):
        await names.resolve("one")
    monkeypatch.setattr(threading.Thread, "start", start)
    first = asyncio.create_task(names.resolve("one"))
    await until(lambda: finder.asked)
    monkeypatch.setattr(threading.Thread, "start", fail)
    second = asyncio.create_task(names.resolve("two"))
    await settle()
    finder.tell_all()
    assert await first == await second


@on_loops
async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "MOST_REMEMBERED", 3)
    memory: dict[str, int] = {}
    for number in range(10):
        resolver.remember(memory, str(number), number)
    assert list(memory) == ["7", "8", "9"]


@on_loops
async def test_going_down_ends_a_lookup(finder: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "RESOLVER", Resolver(finder))
    async with NativeNetwork() as network:
        waits = [asyncio.create_task(network.resolve("one")), asyncio.create_task(network.connect_stream("one", 1))]
        await until(lambda: finder.asked)
        start = time.monotonic()
        network.down()
        for wait in waits:
            with pytest.raises(NetworkDown):
                await wait
        assert time.monotonic() - start < 25      # the lookup takes 30
