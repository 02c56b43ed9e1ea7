"""Bytes that have come and wait to be read, in the chunks that brought them."""

from collections import deque


class Inbox:
    """A queue of chunks; a `ygg.stream.transport.Source`. A protocol without a buffer gets them without a copy."""

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._taken = 0  # bytes of the first chunk that have been read
        self.readable = 0
        """Bytes that wait."""

    def append(self, chunk: bytes) -> None:
        """Add bytes that have come."""
        if chunk:  # empty ones would wait unseen, any number of them
            self._chunks.append(chunk)
            self.readable += len(chunk)

    def clear(self) -> None:
        """Drop everything."""
        self._chunks.clear()
        self.readable = self._taken = 0

    def recv(self, limit: int) -> bytes:
        """Take whole chunks: one, and more as far as `limit` bytes go."""
        if not self._chunks:
            return b""
        chunks = [self._chunks.popleft()[self._taken :]]
        size, self._taken = len(chunks[0]), 0
        while self._chunks and size + len(self._chunks[0]) <= limit:
            chunks.append(self._chunks.popleft())
            size += len(chunks[-1])
        self.readable -= size
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def recv_into(self, space: memoryview) -> int:
        """Fill `space` as far as there are bytes; return how many it has got."""
        done = 0
        while self._chunks and done < len(space):
            first = self._chunks[0]
            piece = memoryview(first)[self._taken : self._taken + len(space) - done]
            space[done : done + len(piece)] = piece
            done += len(piece)
            self._taken += len(piece)
            if self._taken == len(first):
                self._chunks.popleft()
                self._taken = 0
        self.readable -= done
        return done
