"""A program where names have no answer: a network namespace whose DNS server takes every question and says nothing."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Runs inside the namespace: the socket of the silent server stays open in the program that follows.
_SETTING = """
import os, socket, subprocess, sys
folder, *command = sys.argv[1:]
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
for name in ("resolv.conf", "nsswitch.conf", "hosts"):
    if os.path.exists(f"/etc/{name}"):
        subprocess.run(["mount", "--bind", f"{folder}/{name}", os.path.realpath(f"/etc/{name}")], check=True)
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
server.set_inheritable(True)
os.environ["SILENT_DNS"] = str(server.fileno())
os.execvp(command[0], command)
"""

_questions: list[bytes] = []


def asked(*names: str) -> bool:
    """Tell, inside such a program, whether the server has been asked for all these names."""
    server = int(os.environ["SILENT_DNS"])
    os.set_blocking(server, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            _questions.append(os.read(server, 4096).lower())
    labels = [name.partition(".")[0].encode() for name in names]
    return all(any(b"%c%s\x07example" % (len(label), label) in question for question in _questions) for label in labels)


def is_asked(process: "subprocess.Popen[str]") -> bool:
    """Tell, outside, whether the server has been asked anything."""
    lines = Path(f"/proc/{process.pid}/net/udp").read_text().splitlines()[1:]
    return any(line.split()[1].endswith(":0035") and line.split()[4][-8:] != "00000000" for line in lines)


def possible() -> bool:
    """Tell whether namespaces work here."""
    if not (shutil.which("unshare") and shutil.which("ip") and os.path.exists("/etc/resolv.conf")):
        return False
    return subprocess.run(["unshare", "-rnm", "true"], capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def start(folder: Path, *command: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a program in such a namespace, with `hosts.example` in its hosts file. `folder` keeps the files of /etc."""
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:30 attempts:2\n")
    (folder / "nsswitch.conf").write_text("hosts: files dns\n")
    (folder / "hosts").write_text("127.0.0.1 localhost\n127.0.0.7 hosts.example\n")
    setting = ["unshare", "-rnm", sys.executable, "-c", _SETTING, str(folder)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*setting, *command], cwd=folder, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()
