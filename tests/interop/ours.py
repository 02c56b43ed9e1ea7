"""A node of ours on a host of the lab: a process of its own, told what to do. See node.py for what it can do."""

import contextlib
import json
from pathlib import Path

from remote import Remote

from .identity import Identity
from .lab import Host


def _only_tests(folder: Path) -> Path:
    # A place to import tests.NAME from: the root itself holds a ygg without its engine.
    place = folder / "import"
    with contextlib.suppress(FileExistsError):
        place.mkdir()
        (place / "tests").symlink_to(Path(__file__).parent.parent)
    return place


class Ours(Remote):
    """The running node."""

    def __init__(self, host: Host, folder: Path, identity: Identity, *, mtu: int = 65535,
                 allowed: tuple[str, ...] = (), group_password: str = "") -> None:
        self.host, self.identity, self.mtu, self.key = host, identity, mtu, identity.key
        options = {"private": identity.private, "name": host.namespace, "mtu": mtu, "allowed": list(allowed),
                   "group_password": group_password}
        super().__init__("tests.interop.node", json.dumps(options), prefix=host.command(),
                         interpreter=("-X", "dev"), log=folder / f"{host.namespace}.log", folders=[_only_tests(folder)])
        self.address: str = self.ask("address")

    def stop(self) -> None:
        """Stop it cleanly; raise also for what Python or asyncio complained about on the way."""
        super().stop()
        lines = self.log.read_text().splitlines()
        if complaints := [line for line in lines if " asyncio ERROR " in line or "Warning: " in line]:
            raise RuntimeError("\n".join(complaints))

    def peer_keys(self) -> set[str]:
        """Return the keys of the peers that are up."""
        return set(self.ask("peer_keys"))
