"""Every network passes ygg.testing.conformance."""

from collections.abc import Callable

import pytest

from tests.aio import on_loops
from ygg.network import LoopbackNetwork, NativeNetwork
from ygg.testing.conformance import CHECKS, Check, Subject

SUBJECTS: dict[str, Callable[[], Subject]] = {
    "native4": lambda: Subject(NativeNetwork(), "127.0.0.1"),
    "native6": lambda: Subject(NativeNetwork(), "::1", foreign="2001:db8::1"),
    "loopback4": lambda: Subject(LoopbackNetwork(), "127.0.0.1"),
    "loopback6": lambda: Subject(LoopbackNetwork(), "::1", foreign="2001:db8::1"),
    "loopback-named": lambda: Subject(LoopbackNetwork(hosts={"a.example": ["10.0.0.1"]}), "A.example."),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", SUBJECTS)
@on_loops
async def test_conformance(name: str, check: Check) -> None:
    subject = SUBJECTS[name]()
    async with subject.network:
        await check(subject)
