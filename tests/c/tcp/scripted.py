"""Tests that are scripts: what a module does to segments, packet by packet. notation.py says how they are written."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.c.tcp.calls import Mismatch
from tests.c.tcp.notation import Script, load
from tests.c.tcp.player import play

FOLDER = Path(__file__).with_name("scripts")


def scripts(*names: str) -> Callable[[Script], None]:
    """Return the test of the scripts in these files, without their suffix: one for each."""

    @pytest.mark.parametrize("script", [marked(script) for name in names for script in load(FOLDER / f"{name}.tcp")])
    def test(script: Script) -> None:
        if mismatch := outcome(script):
            pytest.fail(mismatch, pytrace=False)

    return test


def marked(script: Script):
    marks = pytest.mark.xfail(strict=True, reason=script.xfail, raises=pytest.fail.Exception) if script.xfail else ()
    return pytest.param(script, id=f"{script.where.split(':')[0].removesuffix('.tcp')}: {script.name}", marks=marks)


def outcome(script: Script) -> str:
    """Play a script; return what went wrong, or nothing."""
    try:
        play(script)
    except Mismatch as mismatch:
        return str(mismatch)
    return ""
