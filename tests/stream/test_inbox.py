"""ygg.stream.inbox: bytes that wait to be read."""

import random

from ygg.stream.inbox import Inbox


def filled(*chunks: bytes) -> Inbox:
    inbox = Inbox()
    for chunk in chunks:
        inbox.append(chunk)
    return inbox


def test_chunks_are_kept_whole_and_joined_up_to_the_limit() -> None:
    inbox = filled(b"abc", b"d", b"ef", b"g")
    assert inbox.readable == 7
    assert inbox.recv(4) == b"abcd"
    assert inbox.recv(1) == b"ef"
    assert inbox.readable == 1
    assert inbox.recv(100) == b"g"
    assert inbox.recv(100) == b""


def test_a_chunk_alone_is_not_copied() -> None:
    chunk = bytes(1000)
    assert filled(chunk).recv(1) is chunk


def test_a_buffer_is_filled_across_chunks() -> None:
    inbox, space = filled(b"abc", b"", b"de"), bytearray(4)
    assert inbox.recv_into(memoryview(space)) == 4
    assert space == b"abcd"
    assert inbox.readable == 1
    assert inbox.recv(10) == b"e"
    assert inbox.recv_into(memoryview(space)) == 0


def test_a_chunk_read_in_part_gives_the_rest() -> None:
    inbox = filled(b"abc", b"d")
    assert inbox.recv_into(memoryview(bytearray(2))) == 2
    assert inbox.recv(1) == b"c"
    inbox.clear()
    assert (inbox.readable, inbox.recv(10)) == (0, b"")


def test_empty_chunks_take_no_place() -> None:
    inbox = filled(*[b""] * 1000, b"abc", b"", b"d")
    assert inbox.recv(2) == b"abc"
    assert inbox.recv(2) == b"d"


def test_whatever_the_sizes_nothing_is_lost() -> None:
    dice = random.Random(1)
    chunks = [dice.randbytes(dice.randrange(1, 50)) for _ in range(300)]
    inbox, got = filled(*chunks), bytearray()
    while inbox.readable:
        if dice.random() < 0.5:
            got += inbox.recv(dice.randrange(1, 100))
        else:
            space = bytearray(dice.randrange(1, 100))
            got += space[: inbox.recv_into(memoryview(space))]
    assert got == b"".join(chunks)
