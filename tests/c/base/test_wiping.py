"""Secrets do not stay in memory when the engine object that held them goes."""

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, gc, sys
import pysodium
from ygg_c.node.node import Node
from ygg_c.routing.router import Router
from ygg_c.testing.sessions import SessionTap
from ygg_c.base.sodium import SeededRandom
from ygg_c.stack.netstack import NetStack

public, secret = pysodium.crypto_sign_seed_keypair(bytes(range(32)))
random = SeededRandom(1)
makers = {
    "Router": lambda: Router(secret), "Node": lambda: Node(secret), "SessionTap": lambda: SessionTap(secret),
    "NetStack": lambda: NetStack([bytes([2]) + bytes(15)], random=SeededRandom(7)),
}
wanted = SeededRandom(7).bytes(32) if sys.argv[1] == "NetStack" else secret[:32]
made = makers[sys.argv[1]]()
place = ctypes.string_at(id(made), type(made).__basicsize__).find(wanted)
assert place >= 0, "it is held elsewhere: this test sees nothing"
address = id(made) + place
if hasattr(made, "close"):
    made.close()
del made
gc.collect()
left = ctypes.string_at(address, 32)
assert left != wanted
assert sum(one == other for one, other in zip(left[16:], wanted[16:])) < 8, left
"""


@pytest.mark.parametrize("kind", ["Router", "Node", "SessionTap", "NetStack"])
def test_what_is_freed_holds_no_secret(kind: str) -> None:
    """Read where it was; without the debugging allocator, which would write over it."""
    command = [sys.executable, "-c", PROGRAM, kind]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
