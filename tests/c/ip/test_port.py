"""Packets for Python: batches, bounds, and callbacks that fail."""

import sys

import pytest

from ygg_c.ip.port import PacketPort
from ygg_c.testing.packets import PacketTap


def test_batches() -> None:
    """The packets of one batch come in one call, in order."""
    calls: list[list[bytes]] = []
    port = PacketPort(calls.append)
    tap = PacketTap(port)
    tap.give([b"one", b"two"], 1)
    tap.give([b"three"], 2)
    assert calls == [[b"one", b"two"], [b"three"]]
    port.send([b"up", bytearray(b"again"), b""])  # type: ignore[list-item]
    assert tap.take() == [b"up", b"again"]
    tap.detach()


def test_asks_for_a_turn() -> None:
    """Sending asks whoever is below for a turn."""
    port = PacketPort()
    tap = PacketTap(port)
    asked: list[int] = []
    tap.on_turn = lambda: asked.append(1)
    port.send([b"x"])
    assert asked
    tap.detach()


def test_a_batch_is_bounded() -> None:
    """Packets beyond the limit are dropped and counted, and so are those nobody takes."""
    calls: list[list[bytes]] = []
    port = PacketPort(calls.append, limit=1000)
    tap = PacketTap(port)
    tap.give([bytes(400)] * 5, 1)
    assert [len(batch) for batch in calls] == [2]
    port.on_packets = None
    tap.give([b"x"], 2)
    assert port.dropped == 4
    port.send([b""])
    tap.detach()
    port.send([b"x", b"y"])
    assert port.dropped == 7


def test_what_a_callback_raises_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception reaches on_error, not the engine."""
    errors: list[BaseException] = []

    def fail(batch: list[bytes]) -> None:
        raise RuntimeError("no")

    port = PacketPort(fail)
    port.on_error = errors.append
    tap = PacketTap(port)
    tap.give([b"x"], 1)
    assert [str(error) for error in errors] == ["no"]
    port.on_error = None
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: errors.append(unraisable.exc_value))
    tap.give([b"x"], 2)
    assert len(errors) == 2
    tap.detach()


def test_the_interpreters_own_hook_shows_what_a_callback_raises(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(batch: list[bytes]) -> None:
        raise KeyError("mine")

    monkeypatch.setattr(sys, "unraisablehook", sys.__unraisablehook__)
    tap = PacketTap(PacketPort(fail))
    tap.give([b"x"], 1)
    tap.detach()
    shown = capsys.readouterr().err
    assert shown.splitlines()[-1] == "KeyError: 'mine'"
    assert shown.count("Traceback") == 1


def test_detached() -> None:
    """Without anything below, packets are dropped."""
    port = PacketPort()
    assert not port.attached
    port.send([b"x"])
