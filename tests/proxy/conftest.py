"""Tests here run with two VTuns on a wire."""

from tests.vtunpair import with_pair

__all__ = ["with_pair"]
