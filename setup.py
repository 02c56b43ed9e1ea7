"""Builds the compiled engine: every .pyx below ygg_c is one extension module.

By default one wheel is for all Pythons from 3.11 on (the stable ABI, cp311-abi3). With YGG_NATIVE=1 in the environment
it is for the Python that builds it alone; so it is where that has no GIL, for which there is no stable ABI.
"""

import os
import sysconfig
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

DIRECTIVES = {
    "language_level": 3,
    "embedsignature": True,
    "binding": True,
    "cdivision": True,
    "initializedcheck": False,
    "nonecheck": False,
    "auto_pickle": False,
}
# -O3 doubles the checksum loop's speed over -O2: it is what makes gcc vectorise it.
FLAGS = ["-O3", "-g0", "-fno-strict-aliasing", "-fvisibility=hidden", "-Wno-unused-function", "-Wno-sign-compare"]
JOBS = os.cpu_count() or 1
BUILD: str | None = "build/cython"
MACROS: list[tuple[str, str | None]] = []
STABLE_ABI = not (os.environ.get("YGG_NATIVE") or os.environ.get("YGG_TRACE_LINES")
                  or sysconfig.get_config_var("Py_GIL_DISABLED"))
if STABLE_ABI:
    MACROS = [("Py_LIMITED_API", "0x030B0000")]
ROOT = Path(__file__).resolve().parent

# For tools/coverage alone: every line tells the tracer that it runs. It is slow, so it is built apart, and quickly. The
# tracer looks for the C file beside its source, and knows a source by the path that the compiler was given.
TRACED = bool(os.environ.get("YGG_TRACE_LINES"))
if TRACED:
    DIRECTIVES["linetrace"] = True
    FLAGS = ["-O1", *FLAGS[1:]]
    BUILD = None
    MACROS = [("CYTHON_TRACE_NOGIL", "1")]


def extensions() -> list[Extension]:
    """Return one extension per .pyx file of the engine."""
    return [
        Extension(".".join(path.with_suffix("").parts), [str(ROOT / path if TRACED else path)],
                  extra_compile_args=FLAGS, define_macros=MACROS, py_limited_api=STABLE_ABI)
        for path in sorted(path.relative_to(ROOT) for path in (ROOT / "ygg_c").rglob("*.pyx"))
    ]


# Cython's worker processes import this file again where processes are spawned rather than forked.
if __name__ == "__main__":
    setup(
        ext_modules=cythonize(extensions(), compiler_directives=DIRECTIVES, build_dir=BUILD, nthreads=JOBS,
                              quiet=True),
        options={
            "build": {"build_base": "build/abi3" if STABLE_ABI else "build/native"},
            "build_ext": {"parallel": JOBS},
            "bdist_wheel": {"py_limited_api": "cp311"} if STABLE_ABI else {},
        },
    )
