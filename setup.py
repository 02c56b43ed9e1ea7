"""Builds the compiled engine: every .pyx below ygg_c is one extension module.

By default one wheel is for all Pythons from 3.11 on (the stable ABI, cp311-abi3). With YGG_NATIVE=1 in the environment
it is for the Python that builds it alone; so it is where that has no GIL, for which there is no stable ABI. With
YGG_NO_PUMPS=1 it makes no system call but for the time, and links are carried by asyncio's transports: slower, and for
systems that the pumps were not written for.
"""

import os
import re
import sys
import sysconfig
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

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
NO_PUMPS = bool(os.environ.get("YGG_NO_PUMPS"))
ROOT = Path(__file__).resolve().parent

# For tools/coverage alone: every line tells the tracer that it runs. It is slow, so it is built apart, and quickly. The
# tracer looks for the C file beside its source, and knows a source by the path that the compiler was given.
TRACED = bool(os.environ.get("YGG_TRACE_LINES"))
if TRACED:
    DIRECTIVES["linetrace"] = True
    FLAGS = ["-O1", *FLAGS[1:]]
    BUILD = None
    MACROS = [("CYTHON_TRACE_NOGIL", "1")]


def macros(path: Path) -> list[tuple[str, str | None]]:
    """Return what is defined for a module."""
    return [*MACROS, ("YGG_NO_PUMPS", "1")] if NO_PUMPS and path.parent.name == "io" else MACROS


def extensions() -> list[Extension]:
    """Return one extension per .pyx file of the engine."""
    return [
        Extension(".".join(path.with_suffix("").parts), [str(ROOT / path if TRACED else path)],
                  extra_compile_args=FLAGS, define_macros=macros(path), py_limited_api=STABLE_ABI)
        for path in sorted(path.relative_to(ROOT) for path in (ROOT / "ygg_c").rglob("*.pyx"))
    ]


def readme() -> str:
    """Return the README as a package index can show it: there is no file there that its relative links would find."""
    path = ROOT / "README.md"
    return re.sub(r"\[([^]]+)\]\((?!https?:)[^)]*\)", r"\1", path.read_text("utf-8")) if path.exists() else ""


class Build(build_ext):
    """Has Cython make the C sources at the beginning of a build, and not where only the project is asked about."""

    def run(self) -> None:
        """Build all extensions."""
        found = {extension.name: extension for extension in self.extensions}
        for made in cythonize(extensions(), compiler_directives=DIRECTIVES, build_dir=BUILD, nthreads=JOBS, quiet=True):
            found[made.name].sources = made.sources
        super().run()


if sys.platform not in ("linux", "darwin") and not NO_PUMPS:
    sys.exit(f"ygg is written for Linux, and for macOS where it has not been run; on {sys.platform} only what needs no "
             "system call of its own can be tried, by YGG_NO_PUMPS=1 in the environment: see docs/platforms.md")


# Cython's worker processes import this file again where processes are spawned rather than forked.
if __name__ == "__main__":
    setup(
        long_description=readme(),
        long_description_content_type="text/markdown",
        cmdclass={"build_ext": Build},
        ext_modules=extensions(),
        options={
            "build": {"build_base": f"build/{'abi3' if STABLE_ABI else 'native'}{'-no-pumps' * NO_PUMPS}"},
            "build_ext": {"parallel": JOBS},
            "bdist_wheel": {"py_limited_api": "cp311"} if STABLE_ABI else {},
        },
    )
