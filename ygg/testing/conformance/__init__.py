"""What every network must do, as checks to run on one of your own.

::

    subject = Subject(MyNetwork(), "127.0.0.1")
    for check in CHECKS:
        await check(subject)

A check raises `AssertionError` with what went wrong, or the error it did not expect. `pytest.mark.parametrize("check",
CHECKS)` makes a test of each.
"""

from ygg.testing.conformance import datagrams, outages, ports, streams
from ygg.testing.conformance.subject import Check, Subject

CHECKS: list[Check] = [*streams.CHECKS, *ports.CHECKS, *outages.CHECKS, *datagrams.CHECKS]
"""All checks, independent of each other; each leaves the network up and nothing behind."""

__all__ = ["CHECKS", "Check", "Subject"]
