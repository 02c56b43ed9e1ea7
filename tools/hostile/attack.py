"""What attacks have in common: their time, their names, and how they send as much as the target takes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hostile.evil import Evil, Target


@dataclass
class Attack:
    """One attack on its way."""

    target: Target
    seconds: float

    def __post_init__(self) -> None:
        self._end = 0.0

    def begin(self) -> None:
        """Start the clock: what comes before is preparation."""
        self._end = time.monotonic() + self.seconds

    @property
    def going(self) -> bool:
        """Whether it is to go on."""
        return time.monotonic() < self._end

    def blast(self, evil: Evil, chunks: Sequence[bytes], rate: float = 0.0) -> int:
        """Send chunks in circles to the end, as fast as they are taken or at `rate` a second; return how many."""
        sent, started = 0, time.monotonic()
        try:
            while self.going and not evil.closed:
                evil.send(chunks[sent % len(chunks)])
                sent += 1
                if rate:
                    time.sleep(max(0.0, started + sent / rate - time.monotonic()))
        except OSError:
            pass
        return sent

    def repeat(self, step: Callable[[], object], rate: float) -> int:
        """Call something at `rate` a second to the end; return how often."""
        done, started = 0, time.monotonic()
        while self.going:
            try:
                step()
            except OSError:
                break
            done += 1
            time.sleep(max(0.0, started + done / rate - time.monotonic()))
        return done

    def rest(self) -> None:
        """Do nothing more to the end."""
        while self.going:
            time.sleep(0.1)


ATTACKS: dict[str, Callable[[Attack], object]] = {}
"""By name; what one returns says how much it did."""


def attack(function: Callable[[Attack], object]) -> Callable[[Attack], object]:
    """Register an attack under its function's name."""
    ATTACKS[function.__name__] = function
    return function


def grouped(frames: Sequence[bytes], size: int) -> list[bytes]:
    """Join frames by so many."""
    return [b"".join(frames[start : start + size]) for start in range(0, len(frames), size)]
