"""ygg.node.driver: turns when they are due, and no timer too many."""

import asyncio

from tests.aio import on_loops, until
from ygg.node.driver import Driver
from ygg.testing import private_key
from ygg_c.node.node import Node


@on_loops
async def test_a_node_ticks_by_itself() -> None:
    engine = Node(private_key(1).secret)
    driver = Driver(engine, asyncio.get_running_loop(), engine.clock)
    driver.wake()
    driver.wake()
    await until(lambda: engine.self_state()["routing_entries"] == 1)
    driver.close()
    engine.close()


@on_loops
async def test_a_closed_driver_runs_no_more_turns() -> None:
    engine = Node(private_key(1).secret)
    driver = Driver(engine, asyncio.get_running_loop(), engine.clock)
    driver.wake()
    driver.close()
    assert engine.on_work is None
    await asyncio.sleep(0.01)
    assert engine.self_state()["routing_entries"] == 0
    engine.close()
