"""What libraries log is at DEBUG in our log."""

import logging

import pytest

from ygg.transport.quiet import QuietLogger


@pytest.mark.parametrize("level", [1, logging.DEBUG, logging.INFO, logging.ERROR, logging.CRITICAL])
def test_no_level_is_above_debug(caplog: pytest.LogCaptureFixture, level: int) -> None:
    caplog.set_level(1, "ygg.test")
    QuietLogger(logging.getLogger("ygg.test"), {}).log(level, "said %s", "so")
    assert caplog.record_tuples == [("ygg.test", min(level, logging.DEBUG), "said so")]


def test_its_named_levels_are_quiet_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "ygg.test")
    quiet = QuietLogger(logging.getLogger("ygg.test"), {})
    quiet.warning("one")
    quiet.error("two")
    quiet.exception("three", exc_info=None)
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}
    assert [record.message for record in caplog.records] == ["one", "two", "three"]
