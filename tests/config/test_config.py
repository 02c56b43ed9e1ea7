"""ygg.config.config: the stock daemon's configuration file."""

import dataclasses
import json
import logging
import os
import pickle
import stat
from pathlib import Path

import pytest

from ygg.config.config import Config, MulticastInterface
from ygg.errors import ConfigError
from ygg.identity.keys import PrivateKey

KEY_01 = PrivateKey.from_seed(b"\x01" * 32)

# The shape of a generated file: comments, quoteless strings, lists without commas.
STOCK = f"""
{{
  # Your private key. DO NOT share this with anyone!
  PrivateKey: {KEY_01.hex()}

  /* outbound
     peers */
  Peers: [
    tls://a.example:443?key=00&password=secret
    "tcp://[2001:db8::1]:1"
  ]
  InterfacePeers: {{
    eth0: ["tls://b.example:2"]
  }}
  Listen: []
  MulticastInterfaces: [
    {{
      Regex: en.*
      Beacon: true
      Listen: false
      Port: 9001
      Priority: 7
      Password: 0123
    }}
  ]
  AllowedPublicKeys: ["{KEY_01.public_key.hex()}"]
  IfName: auto
  IfMTU: 65535
  NodeInfoPrivacy: true
  NodeInfo: {{ name: "x", height: 1.5, floors: 3 }}
  SomethingNewer: {{ a: 1 }}
}}
"""


def test_a_stock_file_is_read() -> None:
    config = Config.parse(STOCK)
    assert config.private_key == KEY_01
    assert config.peers == ["tls://a.example:443?key=00&password=secret", "tcp://[2001:db8::1]:1"]
    assert config.interface_peers == {"eth0": ["tls://b.example:2"]}
    assert config.listen == []
    assert config.admin_listen is None
    assert config.multicast_interfaces == [
        MulticastInterface(regex="en.*", beacon=True, listen=False, port=9001, priority=7, password="0123")
    ]
    assert config.allowed_public_keys == [KEY_01.public_key]
    assert (config.if_name, config.if_mtu) == ("auto", 65535)
    assert config.node_info_privacy
    assert config.node_info == {"name": "x", "height": 1.5, "floors": 3}


def test_an_empty_object_is_a_random_identity_and_the_defaults() -> None:
    first, second = Config.parse("{}"), Config.parse("")
    assert first.private_key != second.private_key
    assert first.peers == []
    assert first.group_password == ""
    assert first.node_info is None
    assert first.multicast_interfaces == Config.generate().multicast_interfaces


def test_an_explicit_empty_list_turns_multicast_off() -> None:
    assert Config.parse("{MulticastInterfaces: []}").multicast_interfaces == []


def test_what_a_rule_leaves_out_is_as_in_the_default_rule_in_its_place() -> None:
    """In the daemon the members of a file's rules are put over those of the default rules."""
    default = Config.generate().multicast_interfaces
    config = Config.parse("{MulticastInterfaces: [{}, null, {Regex: \"b\"}, {}, {}]}")
    nothing = MulticastInterface()
    expected = [*default, *[nothing] * 5][:5]
    expected[2] = dataclasses.replace(expected[2], regex="b")
    assert config.multicast_interfaces == expected


def test_null_turns_multicast_off_as_an_empty_list_does() -> None:
    assert Config.parse("{MulticastInterfaces: null\n}").multicast_interfaces == []
    assert Config.parse('{"multicastinterfaces": null}').multicast_interfaces == []
    assert Config.parse("{}").multicast_interfaces == Config.generate().multicast_interfaces


@pytest.mark.parametrize(
    "text", ["{}", "", "{PrivateKey: null\n}", "{PrivateKeyPath: null\n}", '{"PrivateKeyPath": ""}']
)
def test_a_file_without_an_identity_is_an_error_where_one_is_needed(text: str, tmp_path: Path) -> None:
    Config.parse(text)
    with pytest.raises(ConfigError, match="no PrivateKey and no PrivateKeyPath"):
        Config.parse(text, need_identity=True)
    (tmp_path / "ygg.conf").write_text(text)
    with pytest.raises(ConfigError, match=r"ygg\.conf: there is no PrivateKey"):
        Config.load(tmp_path / "ygg.conf", need_identity=True)
    assert Config.parse(f"{{PrivateKey: {KEY_01.hex()}\n}}", need_identity=True).private_key == KEY_01


def test_unknown_members_are_told_and_nothing_that_may_be_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    Config.parse(f"{{Peer: []\nPEERS: []\nSessionFirewall: {{}}\n{KEY_01.hex()}: 1\n'a b': 2\n}}")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        "Unknown members of the configuration are ignored: Peer (did you mean Peers?), SessionFirewall, …"
    )


def test_unknown_members_of_rules_are_told_with_the_nearest_known(caplog: pytest.LogCaptureFixture) -> None:
    rules = [{"Regx": "en0", "Beacon": True}, {"BEACONS": "s", "Colour": "red"}, None]
    Config.parse(json.dumps({"MulticastInterfaces": rules, "NodeInfo": {"Regx": 1}}))
    (record,) = caplog.records
    assert record.getMessage() == (
        "Unknown members of the configuration are ignored: MulticastInterfaces.Regx (did you mean Regex?), "
        "MulticastInterfaces.BEACONS (did you mean Beacon?), MulticastInterfaces.Colour"
    )


def test_a_name_without_end_costs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    Config.parse(json.dumps({"x" * 1_000_000: 1} | {f"member{number}": 1 for number in range(2000)}))
    assert len(caplog.text) < 1000


@pytest.mark.parametrize("bad", ["\0", "\ud800"])
@pytest.mark.parametrize("name", ["if_name", "group_password", "peers", "interface_peers", "multicast", "node_info"])
def test_strings_that_no_file_can_hold_are_not_written(name: str, bad: str, tmp_path: Path) -> None:
    values: dict[str, object] = {
        "peers": [bad], "interface_peers": {bad: []}, "node_info": {"a": bad}, "if_name": bad, "group_password": bad,
    }  # fmt: skip
    config = Config(multicast_interfaces=[MulticastInterface(password=bad)]) if name == "multicast" else Config()
    if name in values:
        setattr(config, name, values[name])
    for write in (config.to_json, config.to_hjson, lambda: config.save(tmp_path / "ygg.conf")):
        with pytest.raises(ConfigError, match=r"NUL|surrogate"):
            write()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("form", ["to_json", "to_hjson"])
def test_what_is_written_is_read_back(form: str) -> None:
    config = Config.parse(STOCK)
    config.group_password, config.admin_listen, config.log_lookups = "gr", "none", True
    assert Config.parse(getattr(config, form)()) == config


def test_a_generated_file_leaves_the_admin_socket_to_the_platform_and_comments_each_member() -> None:
    config = Config.generate()
    text = config.to_hjson()
    assert "AdminListen" not in text
    assert Config.parse(text) == config
    for name in config.members():
        lines = text.splitlines()
        place = next(index for index, line in enumerate(lines) if line.startswith(f"  {name}:"))
        assert lines[place - 1].lstrip().startswith("# ")


def test_json_has_the_stock_names_and_types() -> None:
    members = json.loads(Config.parse(STOCK).to_json())
    assert members["PrivateKey"] == KEY_01.hex()
    assert members["IfMTU"] == 65535
    assert members["MulticastInterfaces"][0] == {
        "Regex": "en.*", "Beacon": True, "Listen": False, "Port": 9001, "Priority": 7, "Password": "0123",
    }  # fmt: skip
    assert members["GroupPassword"] == ""
    assert "LogLookups" not in members


def test_a_file_is_saved_for_its_owner_alone_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "ygg.conf"
    path.write_text("old")
    path.chmod(0o644)
    config = Config.generate()
    config.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Config.load(path) == config
    assert os.listdir(tmp_path) == ["ygg.conf"]


def test_saving_follows_a_link_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to("real.json")
    Config.generate().save(tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())["PrivateKey"]


def test_a_failed_save_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot write"):
        Config.generate().save(tmp_path / "missing" / "ygg.conf")
    (tmp_path / "taken").mkdir()
    with pytest.raises(ConfigError, match="cannot write"):
        Config.generate().save(tmp_path / "taken")
    assert os.listdir(tmp_path) == ["taken"]


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read the configuration .*absent"):
        Config.load(tmp_path / "absent")


def test_an_identity_in_a_pem_file_overrides_and_stays_there(tmp_path: Path) -> None:
    pem = tmp_path / "key.pem"
    pem.write_text(KEY_01.pem())
    config = Config.parse(json.dumps({"PrivateKeyPath": str(pem), "PrivateKey": "nonsense"}))
    assert config.private_key == KEY_01
    assert "PrivateKey" not in config.members()
    with pytest.raises(ConfigError, match=r"PrivateKeyPath: cannot read"):
        Config.parse(json.dumps({"PrivateKeyPath": str(tmp_path / "absent")}))


def test_no_secret_leaves_by_repr_or_pickle() -> None:
    config = Config.parse(STOCK)
    config.group_password = "hidden"
    text = f"{config!r} {config.multicast_interfaces!r} {config.certificate!r}"
    assert not any(word in text for word in ("hidden", "secret", "0123", "0101"))
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(config)


def test_the_certificate_is_that_of_the_identity() -> None:
    config = Config.parse(STOCK)
    assert config.certificate.public_key == KEY_01.public_key
    assert config.certificate is config.certificate


def test_what_a_file_leaves_out_is_off() -> None:
    """A node says what it runs, keeps no lookups and takes every peer until its file says otherwise."""
    for config in (Config.parse("{}"), Config()):
        assert (config.node_info_privacy, config.log_lookups, config.allowed_public_keys) == (False, False, [])
        assert (config.peers, config.listen, config.interface_peers, config.node_info) == ([], [], {}, None)


@pytest.mark.parametrize(("text", "most"), [
    ('{"IfMTU": %d}', 1 << 32), ('{"MulticastInterfaces": [{"Port": %d}]}', 65535),
    ('{"MulticastInterfaces": [{"Priority": %d}]}', 255),
])
def test_numbers_have_an_end(text: str, most: int) -> None:
    Config.parse(text % most)
    with pytest.raises(ConfigError, match=f"an integer from 0 to {most}"):
        Config.parse(text % (most + 1))
