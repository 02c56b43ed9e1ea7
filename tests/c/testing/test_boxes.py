"""How fast sessions seal and open."""

import pytest

from ygg_c.testing.boxes import measure_box


def test_measure_box() -> None:
    """Its time grows with the work; what cannot be sealed is refused."""
    assert 0 < measure_box(100, 1) < measure_box(65535, 200)
    with pytest.raises(ValueError, match="at most"):
        measure_box(130915, 1)
