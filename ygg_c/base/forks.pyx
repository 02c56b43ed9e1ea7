"""What may not be shared by the two processes that a fork makes of one.

A fork copies keys, nonces and sequence numbers; if both processes went on with them, two packets would be sealed under
one key and nonce. Descriptors are not even copied: both processes read and write the same sockets. So the engine's
objects belong to the process that made them. Each remembers the `generation` it was made in, and where that is not the
present one it refuses: calls from Python raise, and what happens inside the engine comes to nothing.

Descriptors that were registered are cut off in the child: their numbers come to stand for a socket whose other end is
closed. Closing them there would not do. An event loop's epoll is shared too, and knows a descriptor by number
and open file: when the child's loop forgets that number, the entry of the parent must not be the one it finds.
"""

import os
import socket

refusal = RuntimeError
cdef set _registered = set()


cdef int check_fork(uint64_t made) except -1:
    if made != generation:
        raise refusal("it belongs to the process that was forked: make a new one here")
    return 0


def current():
    return generation


def check(uint64_t made):
    check_fork(made)


cpdef void register(int descriptor) noexcept:
    _registered.add(descriptor)


cpdef void unregister(int descriptor) noexcept:
    _registered.discard(descriptor)


def registered():
    return set(_registered)


def cut(descriptors):
    ours, other = socket.socketpair()
    with ours, other:
        other.close()
        for descriptor in descriptors:
            os.dup2(ours.fileno(), descriptor, False)


def _forked():
    global generation
    generation += 1
    cut(_registered)
    _registered.clear()


os.register_at_fork(after_in_child=_forked)
