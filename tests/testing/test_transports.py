"""Every transport passes the checks of ygg.testing.conformance.transports."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.aio import on_loops
from ygg import Certificate, LoopbackNetwork, NativeNetwork, TCPTransport
from ygg.testing import private_key
from ygg.testing.conformance import TRANSPORT_CHECKS, TransportCheck, TransportSubject
from ygg.transport import QuicTransport, TLSTransport, UnixTransport, WSTransport

CERTIFICATE = Certificate(private_key(1))

SUBJECTS: dict[str, Callable[[Path], TransportSubject]] = {
    "tcp": lambda folder: TransportSubject(TCPTransport(), LoopbackNetwork(), "tcp://127.0.0.1:0"),
    "tcp-native": lambda folder: TransportSubject(TCPTransport(), NativeNetwork(), "tcp://127.0.0.1:0"),
    "tls": lambda folder: TransportSubject(TLSTransport(CERTIFICATE), LoopbackNetwork(), "tls://127.0.0.1:0"),
    "ws": lambda folder: TransportSubject(WSTransport(CERTIFICATE), LoopbackNetwork(), "ws://127.0.0.1:0"),
    "wss": lambda folder: TransportSubject(WSTransport(CERTIFICATE), NativeNetwork(), "wss://127.0.0.1:0"),
    "quic": lambda folder: TransportSubject(QuicTransport(CERTIFICATE), LoopbackNetwork(), "quic://127.0.0.1:0"),
    "unix": lambda folder: TransportSubject(UnixTransport(), NativeNetwork(), f"unix://{folder}/socket"),
}


@pytest.mark.parametrize("check", TRANSPORT_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", SUBJECTS)
@on_loops
async def test_conformance(name: str, check: TransportCheck, tmp_path: Path) -> None:
    subject = SUBJECTS[name](tmp_path)
    async with subject.network:
        await check(subject)
