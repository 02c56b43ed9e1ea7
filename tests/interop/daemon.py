"""The packaged daemon on a host of the lab, with a TUN device of its own."""

import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .identity import Identity
from .lab import Host

PLACES = [Path(os.environ.get("YGG_DAEMON") or ".cache/yggdrasil", "usr/sbin"), Path("/usr/sbin"), Path("/usr/bin")]


def find(name: str) -> Path | None:
    """Return where a program of the package is."""
    return next((place / name for place in PLACES if (place / name).exists()), None)


def wait_until(condition: Callable[[], Any], what: str, timeout: float = 20.0) -> Any:
    """Poll until the condition is true, and return its value."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:.0f} s in vain: {what}")
        time.sleep(0.02)
    return value


class Daemon:
    """A running daemon; `ctl` asks it what yggdrasilctl asks."""

    def __init__(self, host: Host, folder: Path, identity: Identity, *, mtu: int = 65535,
                 listen: tuple[str, ...] = (), allowed: tuple[str, ...] = (),
                 multicast: tuple[dict[str, Any], ...] = (), group_password: str = "") -> None:
        self.host, self.identity, self.mtu = host, identity, mtu
        self.folder = folder / host.namespace
        self.folder.mkdir(parents=True)
        self.log = self.folder / "log"
        # Not in the folder: where tests run in several processes its name has more than a socket's path has room for.
        self._socket = Path(tempfile.gettempdir(), f"{host.namespace}-{secrets.token_hex(4)}.sock")
        self.endpoint = f"unix://{self._socket}"
        configuration = {
            "PrivateKey": identity.private, "Listen": [url.format(host.address) for url in listen],
            "Peers": [], "AllowedPublicKeys": list(allowed), "MulticastInterfaces": list(multicast),
            "AdminListen": self.endpoint, "IfName": "ygg0", "IfMTU": mtu, "NodeInfoPrivacy": False,
            "NodeInfo": {"name": host.namespace}, "GroupPassword": group_password,
        }
        (self.folder / "config.json").write_text(json.dumps(configuration))
        self._process: subprocess.Popen[bytes] | None = None
        self.start()
        self.address: str = self.ctl("getself")["address"]
        self.key = identity.key

    def start(self) -> None:
        """Start it and wait until it answers and its device is up."""
        command = self.host.command(find("yggdrasil") or "yggdrasil", "-useconffile", self.folder / "config.json",
                                    "-loglevel", "debug")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self._answers, f"the daemon in {self.host.namespace} answers")

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise OSError(f"the daemon has stopped: {self.log.read_text()[-2000:]}")
        try:
            return bool(self.ctl("gettun")["enabled"])
        except OSError:
            return False

    def stop(self) -> None:
        """Stop it, as a service manager would."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
            self._socket.unlink(missing_ok=True)

    def ctl(self, command: str, **arguments: str) -> Any:
        """Return what yggdrasilctl prints for a command, decoded."""
        program = find("yggdrasilctl") or shutil.which("yggdrasilctl") or "yggdrasilctl"
        line = [str(program), "-json", f"-endpoint={self.endpoint}", command]
        line += [f"{name}={value}" for name, value in arguments.items()]
        result = subprocess.run(line, capture_output=True, text=True)
        try:
            return json.loads(result.stdout)
        except ValueError:      # its errors are text on either stream, at times with exit status 0
            raise OSError(f"yggdrasilctl {command}: {result.stderr}{result.stdout}") from None

    def peer(self, url: str) -> None:
        """Have it keep up a peering."""
        self.ctl("addPeer", uri=url)

    def unpeer(self, url: str) -> None:
        """Have it give up a peering."""
        self.ctl("removePeer", uri=url)

    def peers(self) -> list[dict[str, Any]]:
        """Return its peers, up or down."""
        return self.ctl("getpeers").get("peers") or []

    def peer_keys(self) -> set[str]:
        """Return the keys of the peers that are up."""
        return {peer["key"] for peer in self.peers() if peer["up"]}
