"""Builds the compiled engine: every .pyx below ygg_c is one extension module."""

import os
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


def extensions() -> list[Extension]:
    """Return one extension per .pyx file of the engine."""
    root = Path(__file__).parent
    sources = [path.relative_to(root) for path in sorted((root / "ygg_c").rglob("*.pyx"))]
    return [
        Extension(".".join(path.with_suffix("").parts), [str(path)], extra_compile_args=FLAGS) for path in sources
    ]


# Cython's worker processes import this file again where processes are spawned rather than forked.
if __name__ == "__main__":
    setup(
        ext_modules=cythonize(extensions(), compiler_directives=DIRECTIVES, build_dir="build/cython", nthreads=JOBS,
                              quiet=True),
        options={"build_ext": {"parallel": JOBS}},
    )
