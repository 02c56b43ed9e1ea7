"""PostgreSQL on a UNIX socket, for tests."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name) or pytest.skip("no PostgreSQL here")


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Path]:
    """Run a server with its files in `folder`; yield the path of its socket. As root it runs as another user."""
    initdb, postgres = _program("initdb"), _program("postgres")
    user = "postgres" if os.geteuid() == 0 else None
    for parent in (folder, *folder.parents) if user else ():
        if parent.stat().st_uid != os.geteuid() or parent == Path("/"):
            break
        parent.chmod(parent.stat().st_mode | 0o011)     # that other user may pass
    data = folder / "data"
    data.mkdir()
    if user:
        shutil.chown(data, user)
    subprocess.run([initdb, "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "--locale=C"],
                   user=user, cwd=data, check=True, capture_output=True)
    options = ["-c", "listen_addresses=", "-c", "fsync=off", "-k", str(data), "-F"]
    with subprocess.Popen([postgres, "-D", str(data), *options], user=user, cwd=data, stderr=subprocess.PIPE,
                          text=True) as process:
        assert any("ready to accept connections" in line for line in process.stderr)
        yield data / ".s.PGSQL.5432"
        process.terminate()
        process.stderr.read()
