"""Tests here run with two VTuns on a wire."""

from vtunpair import with_pair

__all__ = ["with_pair"]
