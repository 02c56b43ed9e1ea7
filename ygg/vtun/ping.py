"""ICMPv6 echo (RFC 4443, section 4)."""

import asyncio
import errno

from ygg.errors import from_os_error
from ygg.vtun.addresses import endpoint, failure
from ygg.vtun.registry import Registry
from ygg_c.socket.endpoint import CLOSED
from ygg_c.stack.netstack import NetStack

INTERVAL = 1.0
"""Seconds after which an unanswered request is followed by another."""


class Ping:
    """One ping: requests go out until one of them is answered."""

    def __init__(
        self, stack: NetStack, target: bytes, size: int, registry: Registry, dont_fragment: bool = False
    ) -> None:
        self._stack = stack
        registry.reach.check_served(target, errno.EHOSTUNREACH)
        self._payload = stack.random.bytes(size)
        try:
            self._socket = socket = stack.echo()
        except OSError as error:
            raise from_os_error(error) from None
        socket.dont_fragment = dont_fragment
        self._target, self._registry = target, registry
        self._sent: list[int] = []
        self._answer: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        socket.on_event = self._on_event
        registry.add(self)

    async def run(self, timeout: float | None) -> float:
        """Return the round-trip time in seconds of the first request answered; ETIMEDOUT after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                while not self._answer.done():
                    if self._sent:
                        self._stack.suspect_path(self._target)
                    self._send()
                    await asyncio.wait([self._answer], timeout=INTERVAL)
                return self._answer.result()
        except TimeoutError as error:
            if isinstance(error, OSError) and error.errno:
                raise
            raise self._registry.reach.timed_out(self._target, f"ping {endpoint(self._target, 0)[0]}") from None
        finally:
            self._socket.on_event = None
            self._socket.close()
            self._registry.discard(self)
            if self._answer.done() and not self._answer.cancelled():
                self._answer.exception()  # seen, even when the caller was cancelled first

    def _send(self) -> None:
        # A full link is a lost request: the next interval brings another.
        self._sent.append(self._stack.clock.now())
        try:
            self._socket.send(self._target, len(self._sent) & 0xFFFF, self._payload)
        except OSError as error:
            raise from_os_error(error) from None

    def _on_event(self, events: int) -> None:
        for code, sequence, source, payload, _ in self._socket.recv_many():
            if code:
                self._settle(failure(code))
            elif source == self._target and payload == self._payload and 0 < sequence <= len(self._sent):
                self._settle((self._stack.clock.now() - self._sent[sequence - 1]) / 1e9)
        if events & CLOSED:
            self._settle(failure(errno.ENETDOWN))

    def _settle(self, outcome: float | BaseException) -> None:
        if self._answer.done():
            return
        if isinstance(outcome, BaseException):
            self._answer.set_exception(outcome)
        else:
            self._answer.set_result(outcome)

    def shut(self, error: BaseException) -> None:
        """The VTun closes."""
        self._settle(error)
