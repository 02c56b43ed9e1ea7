"""The programs of docs/proxies.md run as they stand, in the order of the page."""

import ast
import asyncio
import inspect
import re
import textwrap
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.vtunpair import Pair

PAGE = Path(__file__).parent.parent.parent / "docs" / "proxies.md"
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)


async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write((await reader.readline()).upper())
    writer.close()


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_program_runs(with_pair: Callable[..., Any], number: int) -> None:
    async def main(pair: Pair) -> None:
        server = await asyncio.start_server(shout, "127.0.0.1", 0)
        names = {"vtun": pair.b, "other": pair.a, "address": pair.address_b, "asyncio": asyncio,
                 "port": server.sockets[0].getsockname()[1]}
        code = compile(textwrap.dedent(PROGRAMS[number]), str(PAGE), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        running = types.FunctionType(code, names)()
        if inspect.iscoroutine(running):
            await running
        server.close()

    with_pair(main)


@pytest.mark.parametrize(("address", "passes"), [
    ("9.9.9.9", True), ("2620:fe::fe", True), ("127.0.0.1", False), ("::1", False), ("10.1.2.3", False),
    ("192.168.1.1", False), ("169.254.1.1", False), ("fe80::1%lo", False), ("fd00::1", False), ("0.0.0.0", False),
    ("::ffff:127.0.0.1", False), ("::ffff:10.0.0.1", False), ("200::1", False), ("224.0.0.1", False),
    ("ff02::1", False),
])  # fmt: skip
def test_an_outproxy_leads_to_public_addresses_alone(address: str, passes: bool) -> None:
    """By the filter that the page has."""
    (program,) = (program for program in PROGRAMS if "def public" in program)
    names: dict[str, Any] = {}
    exec(program.partition("friends =")[0], names)
    assert names["public"](address) is passes
