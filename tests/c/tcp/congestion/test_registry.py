"""ygg_c.tcp.congestion.registry: which algorithm a stack's connections use."""

import pytest

from tests.c.stackkit import A, B, make_stack
from ygg_c.tcp.congestion.registry import algorithms


def test_connections_use_the_algorithm_chosen() -> None:
    stack, _ = make_stack(A)
    assert stack.congestion == "cubic"
    for name in algorithms():
        stack.congestion = name
        connection = stack.connect(B, 7)
        assert connection.info()["congestion"] == name
        connection.abort()


def test_an_unknown_algorithm_is_refused_before_any_connection_has_it() -> None:
    stack, _ = make_stack(A)
    with pytest.raises(ValueError, match="cubic, newreno, not carrier-pigeon"):
        stack.congestion = "carrier-pigeon"
    with pytest.raises(TypeError):
        stack.congestion = None  # type: ignore[assignment]
    assert stack.congestion == "cubic"
