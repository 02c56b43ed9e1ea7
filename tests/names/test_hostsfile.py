"""ygg.names.hostsfile: a table in a file, which is read again when it has changed."""

import os
from pathlib import Path

import pytest

from ygg.errors import ConfigError
from ygg.names import HostsFile
from ygg.names.hostsfile import MOST_BYTES

KEY = bytes(range(32)).hex()
TEXT = f"""# mine
200::1 one  Uno.   # the first
{KEY} two
200::3 one
"""


def test_lines(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text(TEXT)
    hosts = HostsFile(path)
    assert dict(hosts) == {"one": "200::1", "uno": "200::1", "two": KEY}
    assert hosts["UNO."] == "200::1"
    assert len(hosts) == 3
    assert "three" not in hosts


def test_a_file_that_changes(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("200::1 one\n")
    hosts = HostsFile(path)
    assert list(hosts) == ["one"]
    path.write_text("200::1 one\n200::2 two\n")
    assert dict(hosts.items()) == {"one": "200::1", "two": "200::2"}
    path.write_text("nonsense, and longer than it was\n")
    assert list(hosts) == ["one", "two"]
    path.unlink()
    assert list(hosts) == ["one", "two"]
    new = tmp_path / "new"
    new.write_text("200::3 three\n")
    os.replace(new, path)
    assert list(hosts) == ["three"]


@pytest.mark.parametrize(("text", "said"), [
    ("200::1 one\nhost two\n", "hosts:2: 'host' is neither an IPv6 address nor a key"),
    ("2001:db8::1 one\n", "hosts:1: 2001:db8::1 is not in 200::/7"),
    ("#" * (MOST_BYTES + 1), "more than 1048576 bytes"),
])
def test_what_is_no_hosts_file(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "hosts"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        HostsFile(path)
    with pytest.raises(FileNotFoundError):
        HostsFile(tmp_path / "none")
