"""Short ways to say what a test expects."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def raises_errno(code: int) -> Iterator[None]:
    """Expect an OSError with this errno."""
    with pytest.raises(OSError) as caught:  # noqa: PT011
        yield
    assert caught.value.errno == code
