"""Errors of the admin socket."""

from ygg.admin.errors import AdminError, EnvelopeError
from ygg.errors import YggError


def test_they_are_the_librarys() -> None:
    assert issubclass(AdminError, YggError)
    assert issubclass(EnvelopeError, (YggError, ValueError))
    assert str(EnvelopeError()) == "failed to find request"
