"""Nodes and the links between them, under one virtual time and one seed.

A node is the engine's: spanning tree, paths, sessions, and above them a gateway for a stack, a VTun, or nothing. Its
turns run when it has asked for them, when its deadline has come, and when bytes arrive; nothing else takes time, so
that a thousand nodes fit into one process. Handshakes of links are left out: each end is told the other's key.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Iterable
from ipaddress import IPv6Address
from types import TracebackType
from typing import Any, Self, Unpack

from ygg.config.defaults import MTU_CEILING
from ygg.simulation.clock import Timeline
from ygg.simulation.links import Conditions, StreamWire
from ygg.simulation.topology import Edge
from ygg.simulation.trace import Trace
from ygg.testing.keys import public_key, secret_key
from ygg.vtun.options import OptionArguments
from ygg.vtun.vtun import VTun
from ygg_c.base.sodium import SeededRandom
from ygg_c.link.link import Link
from ygg_c.node.gateway import Gateway
from ygg_c.node.node import Node
from ygg_c.stack.netstack import NetStack

Engine = Callable[..., Any]
"""What makes an engine, as `Node(secret, random=...)` does."""


class SimulatedNode:
    """One node of a `World`, made by `World.add`."""

    def __init__(self, world: World, number: int, life: int, mtu: int, engine: Any) -> None:
        self.number = number
        """Of its key, see `ygg.testing.keys`."""
        self.engine = engine
        """The `ygg_c.node.node.Node`, or what else the world makes."""
        self.links: list[SimulatedLink] = []
        """Those that are up."""
        self.mtu = mtu
        """Bytes of the largest packet."""
        self.gateway: Gateway | None = None
        """What the stack or VTun is attached to; None before there is any."""
        self._world = world
        self._life = life
        self._stack: NetStack | None = None
        self._due: int | None = None
        self._asked = False
        self._has_turns = hasattr(engine, "enter")
        if hasattr(engine, "on_work"):
            engine.on_work = self._wants_turn

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.number}>"

    @property
    def key(self) -> bytes:
        """The public key, 32 bytes."""
        return public_key(self.number)

    @property
    def address(self) -> IPv6Address:
        """The address on the overlay."""
        return IPv6Address(self.engine.address)

    @property
    def stack(self) -> NetStack:
        """The stack at the address: sockets without an event loop. It is made, and attached, when first asked for."""
        if self._stack is None:
            stack = NetStack([self.engine.address], self.mtu, self.random("stack"), self._world.timeline.clock)
            self._attach(stack)
            self._stack = stack
        return self._stack

    def vtun(self, **options: Unpack[OptionArguments]) -> VTun:
        """Return a VTun at the address, in a world whose time is an event loop's; `options` as for `VTun`.

        It is its caller's to close, before the world is closed. ValueError where a stack or VTun is attached.
        """
        vtun = VTun([self.address], self.mtu, random=self.random("stack"), clock=self._world.timeline.clock, **options)
        self._attach(vtun.upper)
        return vtun

    def random(self, *use: object) -> SeededRandom:
        """Return a source of randomness for this node and a use of it; a node that comes back gets another one."""
        return SeededRandom((self._world.seed, self.number, self._life, *use))

    def turn(self) -> None:
        """Give the engine a turn now, as after a call that it cannot know of."""
        self._due, self._asked = None, False
        timeline = self._world.timeline
        self._turned(self.engine.turn(timeline.now, timeline.wall))

    def receive(self, link: Link, data: bytes) -> None:
        """Give the engine bytes of a link, in a turn of their own."""
        if link.closed:
            return
        timeline, engine = self._world.timeline, self.engine
        if not self._has_turns:
            engine.turn(timeline.now, timeline.wall)
            link.receive(data)
            self.turn()
            return
        engine.enter(timeline.now, timeline.wall)
        link.receive(data)
        engine.leave()
        self._turned(engine.deadline)

    def close(self) -> None:
        """Stop it, without a word to its neighbours; `World.remove` cuts its links as well."""
        if hasattr(self.engine, "on_work"):
            self.engine.on_work = None
        self._due = None
        if self._stack is not None:
            self._stack.close()
        if self.gateway is not None:
            self.gateway.close()
        self.engine.close()

    def _attach(self, upper: NetStack) -> None:
        if self.gateway is None:
            self.gateway = Gateway(self.engine, self.mtu)
        self.gateway.attach(upper)

    def _wants_turn(self) -> None:
        self._asked = True
        self._plan(self._world.timeline.now)

    def _turned(self, deadline: int | None) -> None:
        # A turn that it has asked for must come: it asks once.
        if not self._asked:
            self._plan(deadline)
        for link in [link for link in self.links if link.is_ending]:
            self._world.link_ended(link)

    def _plan(self, deadline: int | None) -> None:
        # An event that is not the latest one planned does nothing when its time comes.
        if deadline is None or deadline == self._due:
            self._due = deadline
            return
        due = self._due = max(deadline, self._world.timeline.now)
        self._world.timeline.at(due, lambda: self._wake(due))

    def _wake(self, due: int) -> None:
        if self._due == due:
            self.turn()


class SimulatedLink:
    """One link between two nodes of a `World`, made by `World.join`."""

    def __init__(self, world: World, ends: tuple[SimulatedNode, SimulatedNode], conditions: Conditions, name: object,
                 priority: int, acknowledges: bool) -> None:
        self.ends = ends
        """The nodes."""
        self._world = world
        a, b = ends
        self.wires = (
            StreamWire(world.timeline, conditions, random.Random(repr((name, 0))), self._to(1), acknowledges),
            StreamWire(world.timeline, conditions, random.Random(repr((name, 1))), self._to(0), acknowledges),
        )
        """What leads away from each."""
        self.links: tuple[Link, Link] = (
            a.engine.add_link(b.key, priority, self.wires[0].sink),
            b.engine.add_link(a.key, priority, self.wires[1].sink),
        )
        """The engine's, at each."""
        for wire, link in zip(self.wires, self.links, strict=True):
            wire.link = link

    @property
    def silent(self) -> bool:
        """Whether nothing gets through, in either direction, of which the ends are told nothing; may be set."""
        return all(wire.silent for wire in self.wires)

    @silent.setter
    def silent(self, silent: bool) -> None:
        for wire in self.wires:
            wire.silent = silent

    @property
    def is_ending(self) -> bool:
        """Whether an end has closed it."""
        return any(link.closed for link in self.links)

    def at(self, number: int) -> Link:
        """Return the engine's link at the end of a node; KeyError where that is none of its ends."""
        return self.links[self._side(number)]

    def wire_from(self, number: int) -> StreamWire:
        """Return what leads away from a node; KeyError as for `at`."""
        return self.wires[self._side(number)]

    def change(self, conditions: Conditions) -> None:
        """Have both directions under other conditions from now on."""
        for wire in self.wires:
            wire.conditions = conditions

    def cut(self, error: str = "EOF") -> None:
        """End it now, at both ends, which are told."""
        self._world.link_ended(self)
        self._close(error)

    def end(self) -> None:
        """End it at the end that is left, when a word of the other's closing has come that far."""
        late = max(wire.conditions.delay for wire in self.wires)
        self._world.timeline.after(late, lambda: None if self.silent else self._close("EOF"))

    def _close(self, error: str) -> None:
        for node, link in zip(self.ends, self.links, strict=True):
            if not link.closed:
                link.close(error)
                node.turn()

    def _side(self, number: int) -> int:
        for side, node in enumerate(self.ends):
            if node.number == number:
                return side
        raise KeyError(number)

    def _to(self, side: int) -> Callable[[bytes], None]:
        def arrive(data: bytes) -> None:
            source, node = self.ends[1 - side], self.ends[side]
            if self._world.trace is not None:
                self._world.trace.note(self._world.timeline.now, "bytes", source.number, node.number, data)
            node.receive(self.links[side], data)

        return arrive


class World:
    """Nodes by number, and what happens between them. Made in a running event loop, it lives in that loop's time.

    Without one, its time passes in `run`. With one seed everything is the same in every run: with a `VirtualLoop` the
    programs on its VTuns as well.

    ::

        with World(seed=1) as world:
            world.build(topology.cycle_graph(100), Conditions(delay=0.010))
            world.run(30)
            print(world.nodes[7].engine.coords)
    """

    def __init__(self, seed: object = 0, *, make: Engine = Node) -> None:
        """Make an empty world; `make` makes the nodes' engines."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        self.seed = seed
        """What makes chance the same again; anything with a `repr` that tells it from others."""
        self.timeline = Timeline(loop)
        """The time, and what is to happen in it."""
        self.nodes: dict[int, SimulatedNode] = {}
        """By number."""
        self.links: dict[SimulatedLink, None] = {}
        """Those that are up, oldest first."""
        self.trace: Trace | None = None
        """Where what happens is noted; None: nowhere."""
        self._make = make
        self._lives = itertools.count()
        self._names = itertools.count()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self.close()

    @property
    def now(self) -> int:
        """The time in nanoseconds, as the engine has it."""
        return self.timeline.now

    @property
    def wall(self) -> int:
        """Unix time in whole seconds, as the engine has it."""
        return self.timeline.wall

    def add(self, number: int, *, mtu: int = MTU_CEILING, **options: Any) -> SimulatedNode:
        """Add the node with the key of a number, alone at first; `options` are those of the engine.

        ValueError where it is there already.
        """
        if number in self.nodes:
            raise ValueError(f"node {number} is there already")
        life = next(self._lives)
        engine = self._make(secret_key(number), random=SeededRandom((self.seed, number, life)), **options)
        node = self.nodes[number] = SimulatedNode(self, number, life, mtu, engine)
        self._note("added", node.number, node.number)
        node.turn()
        return node

    def join(self, a: int, b: int, conditions: Conditions | None = None, *, priority: int = 0,
             acknowledges: bool = True) -> SimulatedLink:
        """Link two nodes; return the link.

        `acknowledges` says whether its transport can tell that the far side acknowledges, as TCP can.
        """
        ends = self.nodes[a], self.nodes[b]
        link = SimulatedLink(self, ends, conditions or Conditions(), (self.seed, "link", next(self._names)), priority,
                             acknowledges)
        self.links[link] = None
        self._note("joined", a, b)
        for node in ends:
            node.links.append(link)
            node.turn()
        return link

    def link_between(self, a: int, b: int) -> SimulatedLink:
        """Return the oldest link that is up between two nodes, in either order; KeyError where there is none."""
        for link in self.links:
            if {node.number for node in link.ends} == {a, b}:
                return link
        raise KeyError((a, b))

    def build(self, edges: Iterable[Edge], conditions: Conditions | None = None) -> None:
        """Add the nodes of edges that are not there yet, and link them; `ygg.simulation.topology` has shapes."""
        for a, b in edges:
            for number in (a, b):
                if number not in self.nodes:
                    self.add(number)
            self.join(a, b, conditions)

    def remove(self, number: int) -> None:
        """Stop a node, and cut its links. A node of its number that is added later remembers nothing."""
        node = self.nodes[number]
        while node.links:
            node.links[-1].cut()
        del self.nodes[number]
        node.close()
        self._note("removed", number, number)

    def run(self, seconds: float, until: Callable[[], object] | None = None, every: float = 0) -> bool:
        """Let time pass, as `Timeline.run`."""
        return self.timeline.run(seconds, until, every)

    def link_ended(self, link: SimulatedLink) -> None:
        """Take a link off that an end has closed, and have the other end hear of it."""
        if link not in self.links:
            return
        del self.links[link]
        for node in link.ends:
            node.links.remove(link)
        self._note("cut", *(node.number for node in link.ends))
        link.end()

    def close(self) -> None:
        """Stop all nodes."""
        self.timeline.close()
        for node in self.nodes.values():
            node.close()
        self.nodes.clear()
        self.links.clear()

    def _note(self, event: str, source: int, target: int) -> None:
        if self.trace is not None:
            self.trace.note(self.now, event, source, target)
