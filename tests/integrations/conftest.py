"""Tests here run with two VTuns on a wire."""

from tests.integrations.ontrio import both, on_trio
from tests.vtunpair import with_pair

__all__ = ["both", "on_trio", "with_pair"]
