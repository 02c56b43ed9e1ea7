"""ygg_c.base.forks: what a fork would make two of is refused in the child, and its descriptors are cut off there."""

import subprocess
import sys
from pathlib import Path

import pytest

from ygg.errors import ForkedError
from ygg_c.base import forks

CHILD = f"""
import os, sys, traceback, types
import pytest
tests = sys.modules["tests"] = types.ModuleType("tests")
tests.__path__ = [{str(Path(__file__).parents[2])!r}]
from ygg.errors import ForkedError
from ygg_c.base import forks

def in_child(check):
    pid = os.fork()
    if pid == 0:
        try:
            check()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
"""

SESSIONS = """
from ygg.testing import public_key, secret_key
from ygg_c.testing.sessions import SessionTap

left, right = (SessionTap(secret_key(number)) for number in (1, 2))
keys = [public_key(number) for number in (1, 2)]

def carry():
    for _ in range(4):
        for _, message in left.messages():
            right.feed(keys[0], message)
        for _, message in right.messages():
            left.feed(keys[1], message)

for tap in (left, right):
    tap.tick(10**9, 1_700_000_000)
left.write(keys[1], b"before")
carry()
before = left.ratchet(keys[1])
assert before

def refused():
    with pytest.raises(ForkedError):
        left.write(keys[1], b"from the child")
    with pytest.raises(ForkedError):
        left.feed(keys[1], bytes(100))
    assert left.messages() == []
    assert left.ratchet(keys[1]) == before
    SessionTap(secret_key(1)).write(keys[1], b"a new one is the child's own")

in_child(refused)
right.payloads()
left.write(keys[1], b"after")
carry()
assert right.payloads() == [(keys[0], b"after")]
"""

TLS = """
from tests.tlssides import shaken
from ygg_c.testing.keyupdates import update_keys

left, right = shaken()
left.encrypt(b"before")
ciphertext = left.take()

def refused():
    for call in (lambda: left.encrypt(b"x"), left.take, lambda: right.feed(ciphertext), left.handshake,
                 lambda: right.read_into(bytearray(9)), lambda: update_keys(left)):
        with pytest.raises(ForkedError):
            call()
    left.close_notify()

in_child(refused)
right.feed(ciphertext)
space = bytearray(9)
assert right.read_into(space) == (6, False)
assert space[:6] == b"before"
"""

STACKS = """
from ygg_c.stack.netstack import NetStack

ADDRESS = bytes([2]) + bytes(14) + b"\\1"
stack = NetStack([ADDRESS])
socket = stack.udp(None, 7)
listener = stack.listen(None, 80)
connection = stack.connect(ADDRESS, 80)
stack.turn(1)
listener.accept()

def refused():
    for call in (lambda: stack.connect(ADDRESS, 80), lambda: stack.listen(None, 81), lambda: stack.udp(None, 8),
                 stack.echo, lambda: stack.turn(2), lambda: socket.send(b"x", ADDRESS, 9),
                 lambda: connection.send(b"x")):
        with pytest.raises(ForkedError):
            call()
    before = stack.counters()
    connection.abort()
    stack.close()
    NetStack([ADDRESS]).turn(1)

in_child(refused)
assert connection.send(b"x") == 1
stack.close()
"""

GATEWAYS = """
from ygg.testing import secret_key
from ygg_c.ip.layer import Layer
from ygg_c.ip.port import PacketPort
from ygg_c.node.gateway import Gateway
from ygg_c.node.node import Node

node = Node(secret_key(1))
gateway = Gateway(node)
port, layer = PacketPort(), Layer()
gateway.attach(port)
gateway.insert(layer)

def refused():
    for call in (lambda: gateway.replace(PacketPort()), lambda: gateway.insert(Layer()), lambda: gateway.remove(layer)):
        with pytest.raises(ForkedError):
            call()
    assert (gateway.attached, gateway.layers) == (port, (layer,))
    assert gateway.detach() is port
    with pytest.raises(ForkedError):
        gateway.attach(port)
    gateway.close()
    assert layer.lower is None

in_child(refused)
gateway.remove(layer)
gateway.close()
node.close()
"""

DESCRIPTORS = """
import select, socket

left, right = socket.socketpair()
kept, other = socket.socketpair()
forks.register(left.fileno())
events = select.epoll()
events.register(left.fileno(), select.EPOLLIN)

def cut():
    assert forks.current() == 1
    assert forks.registered() == set()
    assert left.recv(9) == b""
    with pytest.raises(BrokenPipeError):
        left.send(b"from the child")
    with pytest.raises(FileNotFoundError):
        events.unregister(left.fileno())    # the parent's entry is not found
    left.close()
    kept.send(b"mine")

right.send(b"before")
in_child(cut)
assert forks.current() == 0
assert events.poll(1) == [(left.fileno(), select.EPOLLIN)]
assert left.recv(9) == b"before"
assert other.recv(9) == b"mine"
right.setblocking(False)
with pytest.raises(BlockingIOError):
    right.recv(9)
"""


@pytest.mark.parametrize(
    "program", [SESSIONS, TLS, STACKS, GATEWAYS, DESCRIPTORS],
    ids=["sessions", "tls", "stacks", "gateways", "descriptors"],
)
def test_a_child_is_refused(program: str) -> None:
    command = [sys.executable, "-W", "ignore", "-c", CHILD + program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_error_is_one_of_ours_and_says_what_to_do() -> None:
    forks.check(forks.current())
    with pytest.raises(ForkedError, match="make a new one here"):
        forks.check(forks.current() + 1)
    assert issubclass(ForkedError, RuntimeError)
