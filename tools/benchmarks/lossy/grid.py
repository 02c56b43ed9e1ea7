"""Which links are measured."""

from collections.abc import Iterator

from .link import Cell

RATES = (10e6, 100e6)
RTTS = (0.01, 0.05, 0.2)
BUFFERS = (1.0, 0.1)
LOSSES = (0.0, 0.001, 0.01, 0.05)
MTUS = (1500, 65535)
LATE = 0.01         # seconds by which reordered packets are late at most


def whole() -> Iterator[Cell]:
    """Yield every cell; they take some four minutes."""
    for mtu in MTUS:
        for rate in RATES:
            for rtt in RTTS:
                for buffer in BUFFERS:
                    yield from (Cell(rate, rtt, buffer, loss, mtu=mtu) for loss in LOSSES)
                    yield from (Cell(rate, rtt, buffer, flows=flows, mtu=mtu) for flows in (2, 8))
                yield Cell(rate, rtt, jitter=rtt / 4, mtu=mtu)
                yield Cell(rate, rtt, jitter=rtt / 2, mtu=mtu)
                yield Cell(rate, rtt, reorder=LATE, mtu=mtu)
    yield from batches()
    yield Cell(1e9, 0.02, mtu=65535, seconds=20)
    yield Cell(1e9, 0.2, mtu=65535, seconds=30)
    yield Cell(1e9, 0.02, seconds=10)


def batches() -> Iterator[Cell]:
    """Yield slow starts towards a receiver that acknowledges what arrives together once."""
    yield Cell(100e6, 0.05, batch=0.005, seconds=5)
    yield Cell(100e6, 0.2, batch=0.005, seconds=10)


def short() -> Iterator[Cell]:
    """Yield the cells for every day; they take half a minute."""
    for rtt in RTTS:
        for buffer in BUFFERS:
            yield Cell(10e6, rtt, buffer)
    yield from (Cell(10e6, 0.05, loss=loss) for loss in LOSSES[1:])
    yield from (Cell(10e6, 0.05, flows=flows, seconds=40) for flows in (2, 8))
    yield from (Cell(10e6, 0.05, 0.1, flows=flows, seconds=40) for flows in (2, 8))
    yield Cell(10e6, 0.05, jitter=0.0125)
    yield Cell(10e6, 0.05, jitter=0.025)
    yield Cell(10e6, 0.05, reorder=LATE)
    yield from batches()
    yield Cell(100e6, 0.05, seconds=20)
    yield Cell(100e6, 0.05, 0.1, loss=0.001, seconds=20)
    for mtu in MTUS[1:]:
        yield from (Cell(10e6, 0.05, mtu=mtu), Cell(10e6, 0.05, flows=2, mtu=mtu), Cell(100e6, 0.05, mtu=mtu))
        yield from (Cell(100e6, 0.2, buffer, mtu=mtu) for buffer in BUFFERS)
        yield from (Cell(100e6, 0.05, loss=loss, mtu=mtu) for loss in (0.001, 0.01))
        yield from (Cell(100e6, 0.05, jitter=0.025, mtu=mtu), Cell(100e6, 0.05, reorder=LATE, mtu=mtu))
    yield Cell(1e9, 0.2, mtu=65535, seconds=20)
