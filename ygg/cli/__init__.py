"""The command line: small commands, each a front of library code.

`main` is the console script `ygg`. Exit codes: 0 is success, 1 a failure that is told on standard error, 2 a command
that makes no sense, 130 an interruption.
"""

from ygg.cli.entry import main

__all__ = ["main"]
