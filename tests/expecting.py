"""Short ways to say what a test expects."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def raises_errno(code: int) -> Iterator[pytest.ExceptionInfo[OSError]]:
    """Expect an OSError with this errno."""
    with pytest.raises(OSError) as caught:  # noqa: PT011
        yield caught
    assert caught.value.errno == code
