"""Types docs/tutorial.md into Python: each block runs in the same namespace, as at the prompt of `python -m asyncio`.

Run as a program, in a network namespace of its own: the last block ends with everything closed, or this fails.
"""

import ast
import asyncio
import contextlib
import inspect
import io
import re
import sys
from pathlib import Path
from types import FunctionType
from typing import Any

PAGE = Path(__file__).parent.parent / "docs" / "tutorial.md"


def blocks() -> list[tuple[str, str]]:
    """Return the code of each block and what the page says it prints."""
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", text, re.M | re.S)


def fits(printed: str, shown: str) -> bool:
    """Tell whether something was printed as shown, where `…` stands for anything in a line."""
    return re.fullmatch(re.escape(shown).replace("…", ".+"), printed) is not None


async def type_in(code: str, names: dict[str, Any]) -> None:
    """Run a block that may await."""
    compiled = compile(code, "tutorial", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = FunctionType(compiled, names)()
    if inspect.isawaitable(result):
        await result


async def main() -> None:
    """Go through the page; AssertionError where it prints something else."""
    asyncio.get_running_loop().slow_callback_duration = 60      # how busy the machine is, is not of interest here
    names: dict[str, Any] = {"__name__": "tutorial", "__builtins__": __builtins__}
    for number, (code, shown) in enumerate(blocks()):
        printed = io.StringIO()
        async with asyncio.timeout(60):
            with contextlib.redirect_stdout(printed):
                await type_in(code, names)
        assert fits(printed.getvalue(), shown), f"block {number} printed {printed.getvalue()!r}, not {shown!r}"
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert not left, left
    sys.stdout.write(f"{len(blocks())} blocks\n")


if __name__ == "__main__":
    asyncio.run(main(), debug=True)
