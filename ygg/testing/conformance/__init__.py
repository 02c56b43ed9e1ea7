"""What every network, and every transport, must do, as checks to run on one of your own.

::

    subject = Subject(MyNetwork(), "127.0.0.1")
    for check in CHECKS:
        await check(subject)

A check raises `AssertionError` with what went wrong, or the error it did not expect. A test of each is made by
`pytest.mark.parametrize("check", CHECKS)`. `TRANSPORT_CHECKS` and `TransportSubject` do the same for transports.
"""

from ygg.testing.conformance import datagrams, outages, ports, streams
from ygg.testing.conformance.subject import Check, Subject
from ygg.testing.conformance.transports import TRANSPORT_CHECKS, TransportCheck, TransportSubject

CHECKS: list[Check] = [*streams.CHECKS, *ports.CHECKS, *outages.CHECKS, *datagrams.CHECKS]
"""All checks, independent of each other; each leaves the network up and nothing behind."""

__all__ = ["CHECKS", "TRANSPORT_CHECKS", "Check", "Subject", "TransportCheck", "TransportSubject"]
