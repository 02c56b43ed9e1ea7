"""Each integration says what to install where its library is missing, and loads nothing but its own."""

import subprocess
import sys

import pytest

EXTRAS = {"aiohttp": "aiohttp", "anyio": "anyio", "httpcore2": "httpx2", "httpx2": "httpx2", "hypercorn": "hypercorn",
          "trio": "trio", "websockets": "ws"}
"""The extra of each module, by its name, which is that of the library too."""


def printed(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", EXTRAS)
def test_a_missing_library_is_named(name: str) -> None:
    text = printed(f"import sys; sys.modules[{name!r}] = None\n"
                   f"try: import ygg.integrations.{name}\n"
                   "except ImportError as error: print(error)")
    assert f"pip install 'ygg[{EXTRAS[name]}]'" in text


@pytest.mark.parametrize("name", ["routed", "asyncssh", "access_log"])
def test_what_needs_no_library_loads_none(name: str) -> None:
    loaded = set(printed(f"import sys, ygg.integrations.{name}; print(*sys.modules)").split())
    assert not {*EXTRAS, "asyncssh", "httpx", "httpcore", "uvicorn"} & loaded
