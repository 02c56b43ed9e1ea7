"""Configuration files between the packaged daemon and us: each reads what the other writes, and means the same."""

import json
import subprocess
from ipaddress import IPv6Address, IPv6Network
from pathlib import Path
from typing import Any

import pytest

from interop.daemon import find
from ygg.address import address_of, subnet_of
from ygg.config import Config, MulticastInterface
from ygg.keys import PrivateKey

FORMS = {"hjson": "node.conf", "json": "node.json"}


def yggdrasil(*arguments: str | Path) -> str:
    """Return what the daemon's program prints."""
    command = [find("yggdrasil") or "yggdrasil", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def normalised(path: Path) -> dict[str, Any]:
    """Return the members that the daemon reads from a file."""
    members: dict[str, Any] = json.loads(yggdrasil("-useconffile", path, "-normaliseconf", "-json"))
    return members


# Something in every member but AdminListen, which -normaliseconf leaves out.
FURNISHED = Config(
    peers=["tls://a.example:443?key=00&password=p%20w", 'tcp://[2001:db8::1]:1?password="#{'],
    interface_peers={"eth0": ["tls://b.example:2"]},
    listen=["tls://[::]:0?priority=7"],
    multicast_interfaces=[
        MulticastInterface("en.*", beacon=True, port=9001, priority=7, password="0123"),
        MulticastInterface("^wl[a-z]+\\d$", listen=True, password="# 'it' \\ \"s\" // ü\n\t"),
    ],
    allowed_public_keys=[PrivateKey.generate().public_key],
    if_name="ygg7", if_mtu=1500, log_lookups=True, node_info_privacy=True,
    node_info={"name": "a: b, c # ü", "height": 1.5, "floors": 3, "rooms": [{"seats": None}, [], {}, True]},
)


@pytest.mark.parametrize("form", FORMS)
def test_we_read_what_the_daemon_generates(form: str, tmp_path: Path) -> None:
    """`yggdrasil -genconf` gives us the key, address and subnet that the daemon tells for it, and its defaults."""
    path = tmp_path / FORMS[form]
    path.write_text(yggdrasil("-genconf", *(["-json"] if form == "json" else [])))
    config = Config.load(path)
    key = config.private_key.public_key
    assert yggdrasil("-useconffile", path, "-publickey").strip() == key.hex()
    assert IPv6Address(yggdrasil("-useconffile", path, "-address").strip()) == address_of(key)
    assert IPv6Network(yggdrasil("-useconffile", path, "-subnet").strip()) == subnet_of(key)
    assert PrivateKey.from_pem(yggdrasil("-useconffile", path, "-exportkey")) == config.private_key
    # The daemon's JSON has NodeInfo null where its HJSON has an empty object.
    config.node_info = config.node_info or None
    assert config == Config(private_key=config.private_key)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("config", [Config.generate(), FURNISHED], ids=["as generated", "furnished"])
def test_the_daemon_reads_what_we_save(config: Config, form: str, tmp_path: Path) -> None:
    """The daemon takes every member of a file we saved as it was meant."""
    path = tmp_path / FORMS[form]
    config.save(path)
    assert normalised(path) == config.members()
    assert yggdrasil("-useconffile", path, "-publickey").strip() == config.private_key.public_key.hex()


def test_the_daemon_finds_our_key_in_its_file(tmp_path: Path) -> None:
    """A configuration with PrivateKeyPath names a PEM file that both of us read."""
    key = PrivateKey.generate()
    (tmp_path / "key.pem").write_text(key.pem())
    path = tmp_path / "node.conf"
    Config(private_key=key, private_key_path=str(tmp_path / "key.pem")).save(path)
    assert Config.load(path).private_key == key
    assert yggdrasil("-useconffile", path, "-publickey").strip() == key.public_key.hex()


@pytest.mark.parametrize("form", FORMS)
def test_a_file_goes_through_both_unchanged(form: str, tmp_path: Path) -> None:
    """What the daemon generated, loaded and saved by us, is what it was to the daemon."""
    generated, saved = tmp_path / "generated", tmp_path / FORMS[form]
    generated.write_text(yggdrasil("-genconf"))
    Config.load(generated).save(saved)
    assert normalised(saved) == normalised(generated)
