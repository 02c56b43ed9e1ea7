"""What the tests of one file share: a lab, and the daemons and nodes of ours that run in it."""

from pathlib import Path
from typing import Any

from .daemon import Daemon
from .lab import Host, Lab
from .ours import Ours


class Net:
    """A lab with daemons and nodes of ours in it."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self._lab, self._folder = lab, folder
        self.running: list[Daemon | Ours] = []

    def daemon(self, *arguments: Any, **options: Any) -> Daemon:
        """Start a daemon on a host of its own; see Daemon."""
        return self._keep(Daemon(self._lab.host(), self._folder, *arguments, **options))

    def ours(self, *arguments: Any, **options: Any) -> Ours:
        """Start a node of ours on a host of its own; see Ours."""
        return self._keep(Ours(self._lab.host(), self._folder, *arguments, **options))

    def host(self) -> Host:
        """Return a host on which nothing runs."""
        return self._lab.host()

    def _keep(self, member: Any) -> Any:
        self.running.append(member)
        return member

    def stop(self) -> None:
        """Stop all; fail when one of ours does not end cleanly."""
        errors = []
        for member in reversed(self.running):
            try:
                member.stop()
            except Exception as error:
                errors.append(error)
        if errors:
            raise ExceptionGroup("not all ended cleanly", errors)

    def logs(self) -> str:
        """Return the last of what each said."""
        return "\n".join(f"--- {member.host.namespace}\n{member.log.read_text()[-4000:]}" for member in self.running)
