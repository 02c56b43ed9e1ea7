"""ygg.errors: the tree, the texts, the errnos."""

import errno
import inspect
import pickle
import re
import socket

import pytest

from ygg import errors
from ygg.errors import YggError, from_os_error

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, YggError)]
PUBLIC = [kind for kind in CLASSES if not kind.__name__.startswith("_")]


@pytest.mark.parametrize("kind", PUBLIC)
def test_an_error_says_its_text_or_the_one_given(kind: type[YggError]) -> None:
    assert str(kind()) == kind.text
    assert str(kind("as given")) == "as given"


@pytest.mark.parametrize("kind", PUBLIC)
def test_an_error_survives_pickling(kind: type[YggError]) -> None:
    copy = pickle.loads(pickle.dumps(kind("as given")))
    assert type(copy) is kind
    assert str(copy) == "as given"
    assert getattr(copy, "errno", None) == getattr(kind(), "errno", None)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """Every class is drawn once, under its parent, with its kin from the standard library."""
    drawn = re.findall(r"^ *([│├└─ ]*)(\w+)(?: \((?:socket\.)?(\w+)\))?", inspect.getdoc(YggError) or "", re.MULTILINE)
    rows = [(len(stem) // 4, name, kin) for stem, name, kin in drawn if hasattr(errors, name)]
    assert sorted(name for _, name, _ in rows) == sorted(kind.__name__ for kind in PUBLIC)
    above: list[str] = []
    for depth, name, kin in rows:
        kind = getattr(errors, name)
        del above[depth:]
        if above:
            assert issubclass(kind, getattr(errors, above[-1])), name
        if kin:
            assert kin in [base.__name__ for base in kind.__mro__], name
        above.append(name)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ECONNREFUSED, errors.ConnectionRefused),
        (errno.ECONNRESET, errors.ConnectionReset),
        (errno.ETIMEDOUT, errors.ConnectTimeout),
        (errno.EADDRINUSE, errors.AddressInUse),
        (errno.ENETUNREACH, errors.NetworkUnreachable),
        (errno.EHOSTUNREACH, errors.HostUnreachable),
        (errno.EMSGSIZE, errors.MessageTooBig),
    ],
)
def test_a_kernel_error_becomes_ours_of_the_same_errno(code: int, kind: type[YggError]) -> None:
    made = from_os_error(OSError(code, "as the kernel says"))
    assert type(made) is kind
    assert made.errno == code
    assert str(made) == "as the kernel says"


def test_an_unknown_errno_is_kept() -> None:
    made = from_os_error(OSError(errno.EXDEV, "odd"))
    assert type(made) is errors.NetworkError
    assert made.errno == errno.EXDEV


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (socket.gaierror(socket.EAI_NONAME, "no name"), errors.ResolveError),
        (TimeoutError(), errors.ConnectTimeout),
        (ConnectionResetError(), errors.ConnectionReset),
        (BrokenPipeError(errno.EPIPE, "broken pipe"), errors.ConnectionReset),
        (ConnectionError("of some library"), errors.LinkError),
        (OSError(), errors.NetworkError),
    ],
)
def test_errors_without_a_known_errno_find_their_kin(error: OSError, kind: type[YggError]) -> None:
    assert type(from_os_error(error)) is kind


def test_ours_stay_what_they_are() -> None:
    error = errors.BlockedHostError()
    assert from_os_error(error) is error
