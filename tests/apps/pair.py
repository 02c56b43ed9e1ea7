"""Two nodes for the programs, joined by a link that can be cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import ygg
from ygg.apps.receiving import Offer
from ygg.embed.node import EmbeddedNode
from ygg.network import LoopbackNetwork
from ygg.testing import private_key


@dataclass
class Two:
    """Node `a`, and node `b`, which dials it."""

    a: EmbeddedNode
    b: EmbeddedNode
    told: list[str] = field(default_factory=list)
    """What a person was told."""
    steps: list[tuple[int, int]] = field(default_factory=list)
    """What was shown of the progress."""

    def tell(self, text: str) -> None:
        self.told.append(text)

    def progress(self, done: int, size: int) -> None:
        self.steps.append((done, size))


@asynccontextmanager
async def two(key: ygg.PrivateKey | None = None) -> AsyncIterator[Two]:
    """Open them; `key` is that of `a`."""
    async with (
        LoopbackNetwork() as network,
        ygg.open_node(key or private_key(1), network=network, listen=["tcp://127.0.0.1:7000"]) as a,
        ygg.open_node(private_key(2), network=network, peers=["tcp://127.0.0.1:7000"]) as b,
    ):
        await b.connected(30)
        await a.connected(30)
        yield Two(a, b)


async def yes(offer: Offer) -> bool:
    """Take all."""
    return True


async def streams(a: EmbeddedNode, b: EmbeddedNode) -> tuple[tuple[asyncio.StreamReader, asyncio.StreamWriter], ...]:
    """Return both ends of a connection: that of `a`, that of `b`."""
    accepted: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Future()
    server = await a.start_server(lambda reader, writer: accepted.set_result((reader, writer)), port=9)
    there = await b.open_connection(a.public_key, 9, timeout=30)
    here = await accepted
    server.close()
    return here, there
