"""Runs one module of CPython's tests over the overlay: child.py MODULE KIND FILE [PATTERN].

FILE gets a line of JSON for each test.
"""

import faulthandler
import importlib
import json
import os
import signal
import sys
import time
import unittest
import warnings
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))

from cpythontests import overlay

LIMIT = 60
"""Seconds after which a test has failed."""


class Result(unittest.TestResult):
    """Tells how each test ends, and how often it used the overlay."""

    def __init__(self, file: Any) -> None:
        super().__init__()
        self._file = file
        self.buffer = True
        # Python 3.12.1 stops tests that it skips, and does not start them.
        self._before, self._ended, self._text, self._begun = overlay.uses, "passed", "", time.monotonic()

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._before, self._ended = overlay.uses, "passed"
        self._text, self._begun = "", time.monotonic()
        signal.alarm(LIMIT)

    def stopTest(self, test: unittest.TestCase) -> None:
        signal.alarm(0)
        super().stopTest(test)
        self._tell(test.id(), self._ended, overlay.uses - self._before, self._text)

    def _tell(self, name: str, ended: str, uses: int, text: str) -> None:
        row = {"test": name, "ended": ended, "uses": uses, "text": text, "seconds": time.monotonic() - self._begun}
        print(json.dumps(row), file=self._file, flush=True)

    def _fail(self, test: Any, error: Any) -> None:
        self._ended = "failed"
        self._text = self._exc_info_to_string(error, test)  # type: ignore[attr-defined]
        if not isinstance(test, unittest.TestCase):     # setUpClass and its like
            self._tell(test.id(), "failed", 0, self._text)

    def addError(self, test: Any, error: Any) -> None:
        self._fail(test, error)

    def addFailure(self, test: Any, error: Any) -> None:
        self._fail(test, error)

    def addSubTest(self, test: Any, subtest: Any, error: Any) -> None:
        if error is not None:
            self._fail(test, error)

    def addSkip(self, test: Any, reason: str) -> None:
        self._ended, self._text = "skipped", reason

    def addExpectedFailure(self, test: Any, error: Any) -> None:
        self._ended = "passed"


def cases(suite: Any) -> Any:
    """Yield the tests of a suite."""
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from cases(one)
        else:
            yield one


def on_alarm(*_: object) -> None:
    """End a test that hangs."""
    raise TimeoutError(f"the test takes more than {LIMIT} seconds")


def main(module: str, kind: str, rows: str, pattern: str = "") -> None:
    """Run the tests whose name contains `pattern`."""
    faulthandler.enable()
    support: Any = importlib.import_module("test.support")

    support.use_resources = ["network"]
    support.SHORT_TIMEOUT = 10.0        # seconds that a thread waits for what a test that has failed does not do
    overlay.install(kind)
    warnings.simplefilter("default")
    found = importlib.import_module(f"test.test_asyncio.{module}")
    suite = unittest.TestLoader().loadTestsFromModule(found)
    signal.signal(signal.SIGALRM, on_alarm)
    chosen = unittest.TestSuite([case for case in cases(suite) if pattern in case.id()])
    with open(rows, "w") as file:
        chosen.run(Result(file))
    os._exit(0)     # threads of tests that have failed may wait for ever


if __name__ == "__main__":
    main(*sys.argv[1:])
