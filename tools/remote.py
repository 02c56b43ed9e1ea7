"""Orders to a process in lines of JSON: `Remote` gives them, `obey` carries them out in the other process.

An order names a coroutine method of the worker and its arguments; several may be under way at once. The process ends
cleanly when its input ends.
"""

import asyncio
import concurrent.futures
import itertools
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


class Remote:
    """A process that obeys; `ask` has it do something and returns the result.

    `interpreter` are options of Python. Without -X dev among them asyncio's debug mode is off, whatever our own is:
    what is measured shall not pay for it.
    """

    def __init__(self, module: str, *arguments: str, log: Path, prefix: Sequence[str] = (),
                 interpreter: Sequence[str] = (), folders: Sequence[Path] = ()) -> None:
        self.log = log
        paths = [str(HERE), *map(str, folders), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        environment.pop("PYTHONASYNCIODEBUG", None)
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [*prefix, sys.executable, *interpreter, "-m", module, *arguments],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
        self._numbers = itertools.count()
        self._waiting: dict[int, concurrent.futures.Future[Any]] = {}
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def begin(self, what: str, **arguments: Any) -> "concurrent.futures.Future[Any]":
        """Have it start something; the future holds the result."""
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = future
            try:
                assert self._process.stdin is not None
                self._process.stdin.write(json.dumps({"id": number, "do": what, **arguments}) + "\n")
                self._process.stdin.flush()
            except OSError:
                del self._waiting[number]
                future.set_exception(self._gone())
        return future

    def ask(self, what: str, timeout: float = 60.0, **arguments: Any) -> Any:
        """Have it do something and return the result; RuntimeError holds the name and text of what it raised."""
        return self.begin(what, **arguments).result(timeout)

    def stop(self) -> None:
        """Stop it cleanly; raise when it does not end by itself, or ends with an error."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            status = self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            self._reader.join()
        if status:
            raise self._gone()

    def _gone(self) -> RuntimeError:
        return RuntimeError(f"the process has ended: {self.log.read_text()[-2000:]}")

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                answer = json.loads(line)
                with self._lock:
                    future = self._waiting.pop(answer["id"])
                if "error" in answer:
                    future.set_exception(RuntimeError(answer["error"]))
                else:
                    future.set_result(answer["result"])
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_exception(self._gone())


async def _lines() -> AsyncIterator[bytes]:
    reader = asyncio.StreamReader(limit=1 << 20)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        async for line in reader:
            yield line
    finally:
        transport.close()


async def _carry_out(worker: object, line: bytes) -> None:
    order = json.loads(line)
    number, what = order.pop("id"), order.pop("do")
    try:
        answer = {"id": number, "result": await getattr(worker, what)(**order)}
    except Exception as error:
        logging.getLogger("remote").exception("%s failed", what)
        answer = {"id": number, "error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)


async def obey(worker: object) -> None:
    """Carry out orders until the input ends."""
    async with asyncio.TaskGroup() as group:
        async for line in _lines():
            group.create_task(_carry_out(worker, line))
