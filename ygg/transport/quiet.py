"""A logger for libraries that make more of what strangers do than we do."""

import logging
from typing import Any


class QuietLogger(logging.LoggerAdapter[logging.Logger]):
    """Passes what a library logs on to a logger of ours, at DEBUG however much the library makes of it."""

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        super().log(min(level, logging.DEBUG), msg, *args, **kwargs)
