"""The table of a link's states: complete, drawn in the docs, and what the links of a node in virtual time go by."""

import asyncio
import contextlib
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.aio import run, settle
from tests.nodes import Stranger, manager
from ygg import Certificate, Core, LoopbackNetwork
from ygg.node import handshake
from ygg.node.links.lifecycle import FIRST, TABLE, Event, ImpossibleError, Kind, State, next_state
from ygg.node.links.records import NEWCOMER, LinkRecord
from ygg.simulation import VirtualLoop
from ygg.stream.held import take_over
from ygg.testing import private_key
from ygg.transport import Transport
from ygg.url import PeerURL
from ygg_c.base.sodium import SeededRandom

MOVES = {(before, event, after) for before, row in TABLE.items() for event, after in row.items()
         if isinstance(after, State) and before is not State.CLOSED}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_each_pair_leads_on_or_is_named_impossible(state: State, event: Event) -> None:
    after = TABLE[state][event]
    if isinstance(after, State):
        assert next_state(Kind.PERSISTENT, state, event) is after
    else:
        assert after
        for kind in Kind:
            with pytest.raises(ImpossibleError, match=re.escape(after)):
                next_state(kind, state, event)


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_left_by_a_removal(state: State) -> None:
    assert TABLE[state][Event.REMOVED] is State.CLOSED


@pytest.mark.parametrize("event", Event)
def test_what_is_closed_stays_closed(event: Event) -> None:
    assert TABLE[State.CLOSED][event] is State.CLOSED


def reached(kind: Kind) -> set[State]:
    """Return the states that a link of a kind can come to."""
    states, new = set[State](), {FIRST[kind]}
    while new:
        states |= new
        new = {next_state(kind, state, event) for state in new for event, after in TABLE[state].items()
               if isinstance(after, State)} - states
    return states


def test_only_persistent_links_wait_and_only_dialed_ones_dial() -> None:
    assert reached(Kind.PERSISTENT) == set(State)
    assert reached(Kind.EPHEMERAL) == set(State) - {State.WAITING}
    assert reached(Kind.INCOMING) == {State.HANDSHAKING, State.UP, State.PROVEN, State.CLOSED}


def test_a_record_tells_of_an_impossible_event_and_stays_as_it_is() -> None:
    record = LinkRecord(None, "", Kind.EPHEMERAL)  # type: ignore[arg-type]
    with pytest.raises(ImpossibleError):
        record.happen(Event.LOST)
    assert record.state is State.CONFIGURED


def test_diagram_in_the_docs_is_drawn_from_the_table() -> None:
    page = (Path(__file__).parents[3] / "docs/links.md").read_text(encoding="utf-8")
    drawn = set(re.findall(r"^    (\S+) --> (\S+): (.+)$", page, re.MULTILINE))
    shown = {(before, event, after) for before, event, after in MOVES if event is not Event.REMOVED}
    assert drawn == {(before.value, after.value, event.value) for before, event, after in shown}
    begun = set(re.findall(r"^    \[\*\] --> (\S+)$", page, re.MULTILINE))
    assert begun == {state.value for state in FIRST.values()}


# What links do: those of a node in virtual time, each led from state to state.

HERE, THERE = "tcp://127.0.0.1:7000", "tcp://127.0.0.1:7001"


class Gate(Transport):
    """Dials that end as the test has it."""

    schemes = ("gate",)

    def __init__(self) -> None:
        self.dials: dict[str, asyncio.Future[asyncio.Transport]] = {}

    async def dial(self, network: Any, url: PeerURL, options: Any) -> asyncio.Transport:
        self.dials[url.identity] = asyncio.get_running_loop().create_future()
        return await self.dials[url.identity]

    async def listen(self, network: Any, url: PeerURL, options: Any) -> Any:
        raise NotImplementedError


class End(Stranger):
    """An end of a connection to a node. What the node says goes on to the end at the other node, up to a limit."""

    def __init__(self) -> None:
        super().__init__()
        self.onward: End | None = None
        self.passed = 0
        self.limit = 0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.let_pass(self.limit)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.onward is not None:
            self.onward.transport.abort()

    def let_pass(self, limit: int) -> None:
        """Let so many bytes pass in all."""
        self.limit = limit
        passing = self.data[self.passed : limit]
        self.passed += len(passing)
        if passing and self.onward is not None and not self.onward.transport.is_closing():
            self.onward.transport.write(passing)


class DrivenLink:
    """One link of the first node, to which things happen as the test has it."""

    def __init__(self, world: "World", kind: Kind, number: int) -> None:
        self.world = world
        self.kind = kind
        self.url = f"gate://127.0.0.1:{number}"
        self.record: LinkRecord
        self.call: asyncio.Task[bytes] | None = None
        self.near: End | None = None
        self.far: End | None = None

    async def begin(self) -> None:
        """Bring the link into its first state."""
        core = self.world.own
        before = set(core.links)
        match self.kind:
            case Kind.PERSISTENT:
                core.add_peer(self.url)
            case Kind.EPHEMERAL:
                self.call = asyncio.create_task(core.call_peer(self.url))
                await asyncio.sleep(0)
            case Kind.INCOMING:
                await self.relay(await End.at(self.world.network, "127.0.0.1:7000"))
                await settle(20)
        (self.record,) = set(core.links) - before

    async def relay(self, near: End) -> None:
        """Have what the first node says go to the other one at once, and what that one says only when it may."""
        self.part()
        self.near, self.far = near, await End.at(self.world.network, "127.0.0.1:7001")
        self.near.onward, self.far.onward = self.far, self.near
        near.let_pass(1 << 30)

    async def do(self, event: Event) -> None:
        """Make an event happen that is possible."""
        gate = self.world.gate.dials
        match event:
            case Event.DIAL if self.record.state is State.WAITING:
                self.record.redial()
            case Event.CONNECTED:
                listener = await self.world.network.listen_stream("127.0.0.1", 0)
                host, _, port = listener.address.rpartition(":")
                transport = await self.world.network.connect_stream(host, int(port))
                near = End()
                near.transport, _ = await listener.accept()
                take_over(near.transport, near)
                listener.close()
                await self.relay(near)
                gate[self.url].set_result(transport)
            case Event.FAILED if self.record.state is State.DIALING:
                gate[self.url].set_exception(ConnectionRefusedError("refused"))
            case Event.FAILED:
                self.near.transport.write(b"GET / HTTP/1.1\r\n\r\n" + bytes(200))
            case Event.ESTABLISHED:
                self.far.let_pass(handshake.SIZE)
            case Event.PROVED:
                self.far.let_pass(1 << 30)
            case Event.LOST:
                self.near.transport.abort()
            case Event.REMOVED:
                self.world.own.remove_peer(self.record.url.identity)
        await settle(30)

    def part(self) -> None:
        """Let go of both connections."""
        for end in (self.near, self.far):
            if end is not None:
                end.transport.abort()


class World:
    """Two nodes in virtual time, and the links that lead from the first one to the other."""

    def __init__(self) -> None:
        self.network = LoopbackNetwork()
        self.gate = Gate()
        self.links: list[DrivenLink] = []
        self.nodes = contextlib.AsyncExitStack()

    async def __aenter__(self) -> "World":
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        for number, url in ((2, THERE), (1, HERE)):
            transports = manager(self.network)
            transports.register(self.gate)
            certificate = Certificate(private_key(number))
            core = Core(certificate, transports, clock=loop.clock, random=SeededRandom((number, 0)))
            self.own = await self.nodes.enter_async_context(core)
            await self.own.listen(url)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.nodes.aclose()
        assert {link.record.state for link in self.links} <= {State.CLOSED}
        for link in self.links:
            link.part()
            if link.call is not None:
                await asyncio.gather(link.call, return_exceptions=True)
        await settle(30)

    async def link(self, kind: Kind) -> DrivenLink:
        """Return a new link in its first state."""
        self.links.append(DrivenLink(self, kind, len(self.links) + 1))
        await self.links[-1].begin()
        return self.links[-1]


def possible(state: State) -> list[Event]:
    """Return what can happen to a link that is not closed."""
    return [event for event, after in TABLE[state].items() if isinstance(after, State)]


def ways(kind: Kind) -> dict[State, list[Event]]:
    """Return by state the shortest way there."""
    found: dict[State, list[Event]] = {FIRST[kind]: []}
    new = [FIRST[kind]]
    while new:
        state = new.pop(0)
        for event in possible(state):
            after = next_state(kind, state, event)
            if after not in found:
                found[after] = [*found[state], event]
                new.append(after)
    return found


CASES = [pytest.param(kind, way, event, id=f"{kind.value}-{state.value}-{event.value}")
         for kind in Kind for state, way in ways(kind).items() if state is not State.CLOSED
         for event in possible(state)]


@pytest.mark.parametrize(("kind", "way", "event"), CASES)
def test_a_link_does_what_the_table_says(kind: Kind, way: list[Event], event: Event) -> None:
    async def main() -> None:
        async with World() as world:
            link = await world.link(kind)
            assert link.record.state is FIRST[kind]
            for step in (*way, event):
                expected = next_state(kind, link.record.state, step)
                await link.do(step)
                assert link.record.state is expected

    run(main(), "virtual")


ATTEMPT = {State.CONFIGURED, State.DIALING, State.HANDSHAKING}


class LinksMachine(RuleBasedStateMachine):
    """Several links at once, to which everything happens that can."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=VirtualLoop)
        self.complaints: list[Any] = []
        self.runner.get_loop().set_exception_handler(lambda _, context: self.complaints.append(context))
        self.world = World()
        self.runner.run(self.world.__aenter__())

    @rule(kind=st.sampled_from(Kind))
    def make(self, kind: Kind) -> None:
        if len(self.world.links) < 6:
            self.runner.run(self.world.link(kind))
            self.runner.run(settle(30))

    @rule(data=st.data())
    def happen(self, data: st.DataObject) -> None:
        links = [link for link in self.world.links if link.record.state is not State.CLOSED]
        if links:
            link = data.draw(st.sampled_from(links))
            event = data.draw(st.sampled_from(possible(link.record.state)))
            expected = next_state(link.kind, link.record.state, event)
            self.runner.run(link.do(event))
            assert link.record.state is expected

    @rule(seconds=st.sampled_from([0.1, 3, 100]))
    def wait(self, seconds: float) -> None:
        """Handshakes time out, links die of silence, and pauses end."""
        self.runner.run(asyncio.sleep(seconds))

    @precondition(lambda self: not ATTEMPT & {link.record.state for link in self.world.links})
    @rule()
    def retry(self) -> None:
        """End all pauses; during an attempt that would be for the pause after it."""
        self.world.own.retry_peers_now()
        self.runner.run(settle(30))

    @invariant()
    def records_are_as_their_states_say(self) -> None:
        links = list(self.world.own.links)
        for link in self.world.links:
            record = link.record
            assert (record in links) is (record.state is not State.CLOSED)
            assert (record.link is not None) is (record.state in (State.UP, State.PROVEN))
            if record.link is not None:
                assert record.link.proven is (record.state is State.PROVEN)
            assert record.last_error or record.state is not State.WAITING
            assert record.is_newcomer is (link.kind is Kind.INCOMING and record.state in NEWCOMER)

    @invariant()
    def nothing_reaches_the_loop(self) -> None:
        assert self.complaints == []

    def teardown(self) -> None:
        self.runner.run(self.world.__aexit__())
        self.runner.close()
        assert self.complaints == []


LinksMachine.TestCase.settings = settings(
    settings.default, max_examples=10, stateful_step_count=20, phases=[Phase.explicit, Phase.generate])
TestLinks = LinksMachine.TestCase
