"""Nodes, stacks and whole programs in virtual time, for studies of routing and tests of programs.

It takes programs written for asyncio, or calls without an event loop, and gives them a clock, links with a rate, a
delay and losses, and chance from one seed, so that every run is the same. Tests, tools and studies use it; nothing of
the library does.
"""

from ygg.simulation.clock import Timeline
from ygg.simulation.links import Conditions, PacketWire, StreamWire
from ygg.simulation.loop import VirtualLoop
from ygg.simulation.switch import Switch
from ygg.simulation.trace import Trace, TraceEvent
from ygg.simulation.world import SimulatedLink, SimulatedNode, World

__all__ = [
    "Conditions",
    "PacketWire",
    "SimulatedLink",
    "SimulatedNode",
    "StreamWire",
    "Switch",
    "Timeline",
    "Trace",
    "TraceEvent",
    "VirtualLoop",
    "World",
]
