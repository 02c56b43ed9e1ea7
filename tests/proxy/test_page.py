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
