"""Configuration files between the packaged daemon and us: each reads what the other writes, and means the same."""

import base64
import functools
import json
import subprocess
from ipaddress import IPv6Address, IPv6Network
from pathlib import Path
from typing import Any

import pytest

from tests.interop.daemon import find
from ygg.config.config import Config, MulticastInterface
from ygg.errors import ConfigError
from ygg.identity.address import address_of, subnet_of
from ygg.identity.keys import PrivateKey

FORMS = {"hjson": "node.conf", "json": "node.json"}


def yggdrasil(*arguments: str | Path) -> str:
    """Return what the daemon's program prints."""
    command = [find("yggdrasil") or "yggdrasil", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def normalised(path: Path) -> dict[str, Any]:
    """Return the members that the daemon reads from a file."""
    members: dict[str, Any] = json.loads(yggdrasil("-useconffile", path, "-normaliseconf", "-json"))
    return members


def known_to_the_daemon(members: dict[str, Any]) -> dict[str, Any]:
    """Return members without those that came after this daemon."""
    return {name: value for name, value in members.items() if name != "GroupPassword" or _has_group_password()}


@functools.cache
def _has_group_password() -> bool:
    return "GroupPassword" in json.loads(yggdrasil("-genconf", "-json"))


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
    assert normalised(path) == known_to_the_daemon(config.members())
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


# What a file says of everything, and in which the daemon and we are of one mind.
SAYINGS = {
    "nothing": "",
    "no multicast": "MulticastInterfaces: null",
    "an empty list of rules": "MulticastInterfaces: []",
    "nulls for lists": "Peers: null\nListen: null\nAllowedPublicKeys: null\nInterfacePeers: null\nIfMTU: null",
    "a null for text": "IfName: null\nGroupPassword: null",
    "words": "IfName: true\nPeers: [\nnull\ntrue\n12\n]",
    "words in a rule": "MulticastInterfaces: [{Regex: false\nBeacon: true\nListen: false\nPassword: 0123\n}]",
    "names in another case": "IFNAME: x\npeers: [\"a\"]",
    "a name in two cases": "IfName: x\nifname: y",
    "a name in two cases, the right one last": "IFNAME: x\nIfName: y",
    "null for text in another case": "IfName: x\nifname: null",
    "a rule that says nothing": "MulticastInterfaces: [{}]",
    "rules that leave things out": "MulticastInterfaces: [{Regex: \"a\"}, {Regex: \"b\"}, {Listen: true}]",
    "a rule without announcements": "MulticastInterfaces: [{Regex: \"\", Beacon: false}]",
    "nulls for rules": "MulticastInterfaces: [null, null\n]",
    "a comment in Latin-1": "# caf\xe9\nIfName: x",
    "members that nobody knows": "Peer: [\"a\"]\nSessionFirewall: {}",
}


@pytest.mark.parametrize("saying", SAYINGS.values(), ids=SAYINGS)
def test_a_file_means_the_same_to_both(saying: str, tmp_path: Path) -> None:
    """What the daemon makes of a file is what we make of it."""
    path = tmp_path / "node.conf"
    key = PrivateKey.generate()
    path.write_bytes(f"{{\nPrivateKey: {key.hex()}\n{saying}\n}}\n".encode("latin-1"))
    ours = known_to_the_daemon(Config.load(path).members())
    theirs = normalised(path)
    # It prints a list or map that is null as null; that is empty all the same.
    empty = {name: ours[name] for name, value in theirs.items() if value is None and not ours[name]}
    assert ours == theirs | empty


REFUSED = ["IfMTU: \"1500\"", "IfMTU: 1500.0", "IfMTU: 1e3", "NodeInfoPrivacy: yes", "NodeInfoPrivacy: 1",
           "Peers: tcp://a:1", "MulticastInterfaces: [eth0\n]", "MulticastInterfaces: [{Port: \"1\"}]"]  # fmt: skip


@pytest.mark.parametrize("saying", REFUSED)
def test_what_the_daemon_refuses_is_an_error(saying: str, tmp_path: Path) -> None:
    """It ends with a panic; we say what is wrong."""
    path = tmp_path / "node.conf"
    path.write_text(f"{{\nPrivateKey: {PrivateKey.generate().hex()}\n{saying}\n}}\n")
    with pytest.raises(subprocess.CalledProcessError):
        normalised(path)
    with pytest.raises(ConfigError, match="must be"):
        Config.load(path)


@pytest.mark.parametrize("form", ["plain", "version 2", "headers", "text around", "two blocks", "trailing NULs"])
def test_both_read_the_same_pem_files(form: str, tmp_path: Path) -> None:
    """A file with a key in it, as other programs write it, is the same identity to both."""
    key = PrivateKey.generate()
    # RFC 5958: version 1 (that is, the second), and the public key at the end.
    second = bytes.fromhex("3051020101300506032b657004220420") + key.secret[:32] + b"\x81\x21\0" + key.public_key
    block = "-----BEGIN PRIVATE KEY-----\n{}" + base64.b64encode(second).decode() + "\n-----END PRIVATE KEY-----\n"
    texts = {
        "plain": key.pem(), "version 2": block.format(""), "headers": block.format("Comment: x\n\n"),
        "text around": f"Bag Attributes\n{key.pem()}the end", "two blocks": key.pem() + PrivateKey.generate().pem(),
        "trailing NULs": key.pem() + "\0\0",
    }  # fmt: skip
    (tmp_path / "key.pem").write_text(texts[form])
    path = tmp_path / "node.conf"
    path.write_text(json.dumps({"PrivateKeyPath": str(tmp_path / "key.pem")}))
    assert Config.load(path, need_identity=True).private_key == key
    assert yggdrasil("-useconffile", path, "-publickey").strip() == key.public_key.hex()
