"""What asyncio's streams take for their event loop, so that `StreamWriter.start_tls()` works on any loop."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from ygg.stream.tls.handshake import start_tls


class _UpgradingLoop:
    """An event loop, but for `start_tls`: uvloop's refuses transports that it has not made."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    async def start_tls(self, *arguments: Any, **options: Any) -> asyncio.Transport:
        return await start_tls(*arguments, **options)


def loop_for_streams() -> asyncio.AbstractEventLoop:
    """Return what to give `StreamReader`, `StreamReaderProtocol` and `StreamWriter` as the running loop."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, asyncio.BaseEventLoop):
        return loop  # it upgrades transports of any kind
    return cast(asyncio.AbstractEventLoop, _UpgradingLoop(loop))
