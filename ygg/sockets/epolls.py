"""Registrations with epoll, which stay with a descriptor when another file takes its place.

epoll knows a file, not a descriptor: where `dup2` has another file take a descriptor over, epoll forgets what it was
asked of it. A program that has registered a socket before it connects would wait for ever. Linux lists in /proc what
is registered (proc_pid_fdinfo(5)), so that the same can be asked of the new file. What is kept beside a registration
has to be the descriptor, as it is by Python's `select`, by libuv and by libevent; others cannot be told from here.
"""

import os
import re
import select
from dataclasses import dataclass

_HERE = "/proc/self/fd"
_EPOLL = "anon_inode:[eventpoll]"
_REGISTERED = r"^tfd:\s*%d events:\s*([0-9a-f]+) data:\s*([0-9a-f]+)\s.*\bino:%x\b"


@dataclass(frozen=True)
class Registration:
    """What an epoll was asked of a descriptor."""

    epoll: int
    """The epoll's own descriptor."""
    events: int
    """What it is to tell, `select.EPOLLIN` and others."""


def registrations(descriptor: int) -> list[Registration]:
    """Return what all epolls of this process were asked of a descriptor; none where the system has no such list."""
    try:
        numbers = os.listdir(_HERE)
        pattern = re.compile(_REGISTERED % (descriptor, os.fstat(descriptor).st_ino), re.M)
    except OSError:
        return []
    found = []
    for number in numbers:
        try:
            if os.readlink(f"{_HERE}/{number}") != _EPOLL:
                continue
            with open(f"/proc/self/fdinfo/{number}") as file:
                listed = pattern.search(file.read())
        except OSError:     # it has been closed meanwhile
            continue
        # Of what is kept, 64 bits, a descriptor has the lower half; Python leaves the other as it happens to be.
        if listed is not None and int(listed[2], 16) & 0xFFFFFFFF == descriptor:
            found.append(Registration(int(number), int(listed[1], 16)))
    return found


def ask_again(descriptor: int, before: list[Registration]) -> None:
    """Have the epolls told the same of the file that has this descriptor now."""
    for one in before:
        try:
            with select.epoll.fromfd(os.dup(one.epoll)) as epoll:
                epoll.register(descriptor, one.events)
        except OSError:     # the epoll has been closed meanwhile, or was asked by another thread
            continue
