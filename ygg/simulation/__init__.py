"""Whole nodes in virtual time, for tests and studies: an event loop whose time passes only while nothing else happens.

It takes programs written for asyncio, and gives them a clock and time of their own. Tests and tools use it; nothing of
the library does.
"""

from ygg.simulation.loop import VirtualLoop

__all__ = ["VirtualLoop"]
