"""What it costs to be there: `import ygg`, and a whole node with a VTun, each in a fresh interpreter."""

import statistics
import subprocess
import sys
import time

NOTHING = "import asyncio; asyncio.run(asyncio.sleep(0))"
NODE = """
import asyncio, ygg
async def main():
    async with ygg.open_node(listen=["tcp://127.0.0.1:0"]):
        pass
asyncio.run(main())
"""


def _times(programs: dict[str, str], seconds: float) -> dict[str, float]:
    """Return the median time of each program in ms, interleaved."""
    times: dict[str, list[float]] = {name: [] for name in programs}
    until = time.perf_counter() + 2 * seconds
    while min(map(len, times.values())) < 5 or time.perf_counter() < until:
        for name, program in programs.items():
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True)
            times[name].append(1000 * (time.perf_counter() - begun))
    return {name: statistics.median(found) for name, found in times.items()}


def start(seconds: float) -> dict[str, float]:
    """Measure from the start of an interpreter to its end, in ms: `import_ms` beyond that of one that does nothing,
    `start_ms` (a node with a VTun and a listener, opened and closed) beyond one that runs an empty event loop.
    """
    found = _times({"bare": "pass", "import": "import ygg", "asyncio": NOTHING, "node": NODE}, seconds)
    return {"import_ms": found["import"] - found["bare"], "start_ms": found["node"] - found["asyncio"]}
