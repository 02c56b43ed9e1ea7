"""Peers of a configuration file, changed in place."""

import os
import stat
from pathlib import Path

import pytest

from ygg import Config
from ygg.config.peersfile import PeersFile
from ygg.errors import ConfigError, URLError

TEXT = """{
  # my node
  Peers: [
    "tls://a.example:443?priority=1" # home
  ]
  IfName: none # no device
}
"""


def test_peers_are_added_once_and_removed_whatever_their_options(tmp_path: Path) -> None:
    path = tmp_path / "ygg.conf"
    path.write_text(TEXT)
    path.chmod(0o640)
    (tmp_path / "link").symlink_to(path)
    file = PeersFile(tmp_path / "link")
    assert not file.add("tls://a.example:443")
    assert file.add("tls://b.example:443?password=x")
    assert file.add("tcp://c.example:1", "eth0")
    assert not file.add("tcp://c.example:1?priority=3", "eth0")
    found = Config.load(path)
    assert found.peers == ["tls://a.example:443?priority=1", "tls://b.example:443?password=x"]
    assert found.interface_peers == {"eth0": ["tcp://c.example:1"]}
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert file.remove("tls://a.example:443")
    assert not file.remove("tls://a.example:443")
    assert file.remove("tcp://c.example:1", "eth0")
    assert not file.remove("tcp://c.example:1", "eth1")
    assert Config.load(path).peers == ["tls://b.example:443?password=x"]
    assert all(comment in path.read_text() for comment in ("# my node", "# home", "# no device"))
    assert (tmp_path / "link").is_symlink()


def test_what_cannot_be_done_safely_is_refused_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "ygg.conf"
    file = PeersFile(path)
    with pytest.raises(ConfigError, match="cannot read"):
        file.add("tcp://h:1")
    with pytest.raises(URLError):
        file.add("nonsense")
    for text in ("{Peers: {}}", "{Peers: [", "[]"):
        path.write_text(text)
        with pytest.raises(ConfigError):
            file.add("tcp://h:1")
        assert path.read_text() == text
    path.write_text(TEXT)
    os.link(path, tmp_path / "second")
    with pytest.raises(ConfigError, match="hard link"):
        file.add("tcp://h:1")
    assert path.read_text() == TEXT
