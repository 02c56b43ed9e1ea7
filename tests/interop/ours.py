"""A node of ours on a host of the lab: a process of its own, told what to do in lines of JSON. See node.py."""

import concurrent.futures
import itertools
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from .identity import Identity
from .lab import Host

TESTS = Path(__file__).parent.parent


class Ours:
    """The running process; `ask` has it do something and returns the result."""

    def __init__(self, host: Host, folder: Path, identity: Identity, *, mtu: int = 65535,
                 allowed: tuple[str, ...] = ()) -> None:
        self.host, self.identity, self.mtu, self.key = host, identity, mtu, identity.key
        self.log = folder / f"{host.namespace}.log"
        paths = [str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        environment.pop("PYTHONASYNCIODEBUG", None)
        options = {"private": identity.private, "mtu": mtu, "allowed": list(allowed)}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                host.command(sys.executable, "-m", "interop.node", json.dumps(options)),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=environment,
            )
        self._numbers = itertools.count()
        self._waiting: dict[int, concurrent.futures.Future[Any]] = {}
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.address: str = self.ask("address")

    def begin(self, what: str, **arguments: Any) -> "concurrent.futures.Future[Any]":
        """Have it start something; the future holds the result."""
        assert self._process.stdin is not None
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = future
        try:
            self._process.stdin.write(json.dumps({"id": number, "do": what, **arguments}) + "\n")
            self._process.stdin.flush()
        except OSError:
            self._end()
        return future

    def ask(self, what: str, timeout: float = 60.0, **arguments: Any) -> Any:
        """Have it do something and return the result; RuntimeError holds the name and text of what it raised."""
        return self.begin(what, **arguments).result(timeout)

    def peer_keys(self) -> set[str]:
        """Return the keys of the peers that are up."""
        return set(self.ask("peer_keys"))

    def stop(self) -> None:
        """Stop it cleanly; fail when it does not end by itself, or ends with an error."""
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
            raise RuntimeError(f"the node ended with status {status}: {self.log.read_text()[-2000:]}")

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
        self._end()

    def _end(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_exception(RuntimeError(f"the node has stopped: {self.log.read_text()[-2000:]}"))
