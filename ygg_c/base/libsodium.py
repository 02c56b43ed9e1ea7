"""Which libsodium the engine uses: the system's, as `pysodium` finds it, else the one inside PyNaCl's wheel.

PyNaCl comes with the extra `sodium`, for machines on which a system package cannot be installed. Its library has all
that the engine calls, but not all that pysodium looks for, which so cannot load it.
"""

import ctypes
import sys
import warnings
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path

ADVICE = (
    "install the library (Debian and Ubuntu: libsodium23, Fedora: libsodium, Alpine: libsodium, "
    "macOS: brew install libsodium), or have one from a wheel: pip install 'ygg[sodium]'"
)
"""How to get one."""


def load() -> ctypes.CDLL:
    """Return libsodium, initialised.

    ImportError, whose name is "libsodium", with what was tried and what to install, when there is none that works.
    """
    failures = []
    for find in (_of_the_system, _of_pynacl):
        try:
            library = find()
            if library.sodium_init() < 0:
                raise OSError(f"{library._name}: sodium_init() failed")
            return library
        except (OSError, AttributeError) as error:      # a file that is no library, or another one
            failures.append(str(error))
    raise ImportError(f"libsodium cannot be used ({'; '.join(failures)}): {ADVICE}", name="libsodium")


def _of_the_system() -> ctypes.CDLL:
    try:
        with warnings.catch_warnings():
            # Its declarations are of a kind that Python 3.14 calls deprecated: no program of ours could change that.
            warnings.simplefilter("ignore", DeprecationWarning)
            import pysodium
    except ValueError:      # how pysodium reports that it found no library
        raise OSError("the system has none") from None
    except ImportError:
        raise OSError("pysodium, which looks for the system's, is not installed") from None
    return pysodium.sodium


def _of_pynacl() -> ctypes.CDLL:
    spec = find_spec("nacl")
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        for suffix in EXTENSION_SUFFIXES:
            if (path := Path(folder, f"_sodium{suffix}")).exists():
                return ctypes.CDLL(str(path))
    raise OSError("PyNaCl is not installed" if spec is None else f"PyNaCl in {sys.prefix} has none of its own")
