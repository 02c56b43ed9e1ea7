"""Builds the compiled engine: every ygg_c/*.pyx is one extension module."""

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

ROOT = Path(__file__).parent
DIRECTIVES = {
    "language_level": 3,
    "embedsignature": True,
    "binding": True,
    "cdivision": True,
    "initializedcheck": False,
    "nonecheck": False,
}
# -O3 doubles the checksum loop's speed over -O2: it is what makes gcc vectorise it.
FLAGS = ["-O3", "-fno-strict-aliasing", "-fvisibility=hidden", "-Wno-unused-function", "-Wno-sign-compare"]


def extensions() -> list[Extension]:
    """Return one extension per .pyx file of the engine."""
    sources = sorted((ROOT / "ygg_c").glob("*.pyx"))
    return [Extension(f"ygg_c.{path.stem}", [f"ygg_c/{path.name}"], extra_compile_args=FLAGS) for path in sources]


setup(ext_modules=cythonize(extensions(), compiler_directives=DIRECTIVES))
