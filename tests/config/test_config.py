"""ygg.config.config: the stock daemon's configuration file."""

import codecs
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


def test_the_last_of_a_name_in_several_cases_counts() -> None:
    assert Config.parse("{IfName: a\nifname: b\n}").if_name == "b"
    assert Config.parse("{ifname: b\nIfName: a\n}").if_name == "a"


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


@pytest.mark.parametrize("word", ["true", "false", "null", "12", "0123", "1e5", "-1.0", "tun0", "yes"])
def test_words_without_quotes_are_text_where_text_is_wanted(word: str) -> None:
    config = Config.parse(
        f"{{IfName: {word}\nGroupPassword: {word}\nAdminListen: {word}\nPeers: [\n{word}\n]\nListen: [{word}\n]\n"
        f"InterfacePeers: {{ {word}: [\n{word}\n] }}\nMulticastInterfaces: [{{ Regex: {word}\n"
        f"Beacon: false\nListen: false\nPassword: {word}\n}}]\n}}"
    )
    assert [config.if_name, config.group_password, config.admin_listen] == [word] * 3
    assert [config.peers, config.listen, config.interface_peers] == [[word], [word], {word: [word]}]
    assert config.multicast_interfaces == [MulticastInterface(word, password=word)]


@pytest.mark.parametrize("bad", ["\\u0000", "\\ud800", "\\udfff", "\\udc80x", "\\ude00\\ud83d", "\ud800"])
@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("IfName", '"IfName": "%s"'),
        ("GroupPassword", '"GroupPassword": "a%sb"'),
        ("AdminListen", '"AdminListen": "%s"'),
        ("PrivateKeyPath", '"PrivateKeyPath": "%s"'),
        ("PrivateKey", '"PrivateKey": "%s"'),
        ("Peers", '"Peers": ["a", "b%s"]'),
        ("Listen", '"Listen": ["%s"]'),
        ("InterfacePeers", '"InterfacePeers": {"%s": ["a"]}'),
        ("InterfacePeers", '"InterfacePeers": {"eth0": ["%s"]}'),
        ("AllowedPublicKeys", '"AllowedPublicKeys": ["%s"]'),
        ("MulticastInterfaces.Regex", '"MulticastInterfaces": [{"Regex": "%s"}]'),
        ("MulticastInterfaces.Password", '"MulticastInterfaces": [{"Password": "%s"}]'),
        ("NodeInfo", '"NodeInfo": {"a": "%s"}'),
        ("NodeInfo", '"NodeInfo": {"%s": 1}'),
        ("NodeInfo", '"NodeInfo": {"a": [1, {"b": ["%s"]}]}'),
    ],
)
def test_strings_are_text(bad: str, name: str, member: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} (has a NUL character in it|is not UTF-8|is no text: half of)"):
        Config.parse("{" + member % bad + "}")


def test_a_nul_as_it_is_makes_no_text() -> None:
    with pytest.raises(ConfigError, match="IfName has a NUL"):
        Config.parse(b"{IfName: a\0b\n}")
    with pytest.raises(ConfigError, match="not HJSON"):
        Config.parse(b'{"IfName": "a\0b"}')


def test_a_surrogate_pair_is_one_character() -> None:
    assert Config.parse('{"IfName": "\\ud83d\\ude00"}').if_name == "😀"


def test_a_comment_that_is_not_utf_8_does_no_harm_and_its_line_is_told(caplog: pytest.LogCaptureFixture) -> None:
    assert Config.parse(b"{\n  # caf\xe9\n  IfName: x\n  # \xe9\n}").if_name == "x"
    assert caplog.messages == ["Line 2 of the configuration is not UTF-8"]
    caplog.clear()
    wide = "{# \ud800\nIfName: x\n}".encode("utf-16-le", "surrogatepass")
    assert Config.parse(codecs.BOM_UTF16_LE + wide).if_name == "x"
    assert Config.parse("{# é\nIfName: x\n}".encode()).if_name == "x"
    assert caplog.messages == []


def test_unknown_members_are_told_and_nothing_that_may_be_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    Config.parse(f"{{Peer: []\nPEERS: []\nSessionFirewall: {{}}\n{KEY_01.hex()}: 1\n'a b': 2\n}}")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == "Unknown members of the configuration are ignored: Peer, SessionFirewall, …, …"


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


def test_names_match_without_case_and_exactly_first() -> None:
    config = Config.parse('{"PEERS": ["tcp://a:1"], "IFNAME": "x", "IfName": "y"}')
    assert config.peers == ["tcp://a:1"]
    assert config.if_name == "y"


def test_null_is_the_default() -> None:
    config = Config.parse('{"Peers": null, "IfMTU": null, "NodeInfo": null, "InterfacePeers": {"eth0": null}}')
    assert config.peers == []
    assert config.interface_peers == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(encoding: str) -> None:
    assert Config.parse('{GroupPassword: "grüße"}'.encode(encoding)).group_password == "grüße"


def test_the_byte_order_mark_decides_the_order() -> None:
    text = "{IfName: x\n}"
    assert Config.parse(b"\xfe\xff" + text.encode("utf-16-be")).if_name == "x"
    assert Config.parse(b"\xff\xfe" + text.encode("utf-16-le")).if_name == "x"


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "not an object"),
        ("{", "not HJSON"),
        ("{Peers: [}", "not HJSON"),
        ("{a: " + "[" * 100000, "nested too deeply|not HJSON"),
        (b"{IfName: \xff}", "not UTF-8"),
        (b"{IfName: \xff\n}", "IfName is not UTF-8"),
        (b"{NodeInfo: {a: caf\xe9\n}}", "NodeInfo is not UTF-8"),
        (b"{Peers: [\n\xe9\n]}", "Peers is not UTF-8"),
        (b"{\n\xe9: 1", "line 2 is not UTF-8"),
        (b"\xff\xfe{", "not UTF-16"),
        ('{"Peers": "tcp://a:1"}', "Peers must be a list of strings"),
        ('{"Peers": [[]]}', "Peers must be a list of strings"),
        ('{"InterfacePeers": []}', ""),
        ('{"InterfacePeers": ["a"]}', "InterfacePeers must be an object of lists"),
        ('{"IfMTU": "big"}', "IfMTU must be an integer"),
        ('{"IfMTU": -1}', "IfMTU must be an integer"),
        ('{"IfMTU": 1.5}', "IfMTU must be an integer"),
        ('{"IfMTU": ' + "9" * 5000 + "}", "IfMTU must be an integer"),
        ('{"NodeInfoPrivacy": 1}', "NodeInfoPrivacy must be true or false"),
        ('{"NodeInfo": []}', "NodeInfo must be an object"),
        ('{"NodeInfo": {"a": ' + "9" * 5000 + "}}", "NodeInfo must be an object of JSON values"),
        ('{"IfName": []}', "IfName must be a string"),
        ('{"MulticastInterfaces": {}}', "MulticastInterfaces must be a list of objects$"),
        ('{"MulticastInterfaces": [".*"]}', r'objects; names alone are of .* { Regex: "eth0", Beacon'),
        ('{"MulticastInterfaces": ["eth0", {}]}', "MulticastInterfaces must be a list of objects$"),
        ('{"MulticastInterfaces": [null, []]}', "MulticastInterfaces must be a list of objects$"),
        ('{"NodeInfoPrivacy": "true"}', "NodeInfoPrivacy must be true or false"),
        ("{NodeInfoPrivacy: yes\n}", "NodeInfoPrivacy must be true or false"),
        ("{IfName: []}", "IfName must be a string"),
        ("{Peers: [{}]}", "Peers must be a list of strings"),
        ('{"MulticastInterfaces": [{"Port": 65536}]}', "MulticastInterfaces.Port must be an integer from 0 to 65535"),
        ('{"AllowedPublicKeys": ["00"]}', "AllowedPublicKeys: a public key is 64 hex digits"),
        ('{"PrivateKey": ""}', "PrivateKey: a private key is 128 hex digits"),
        ('{"PrivateKey": "' + "0" * 128 + '"}', "does not belong to its seed"),
    ],
)
def test_what_makes_no_sense_is_an_error(text: str | bytes, message: str) -> None:
    if not message:
        assert Config.parse(text).interface_peers == {}
        return
    with pytest.raises(ConfigError, match=message):
        Config.parse(text)


def test_errors_never_quote_the_file(tmp_path: Path) -> None:
    path = tmp_path / "ygg.conf"
    secret = "5ec2e7" * 21
    for text in (f"{{PrivateKey: {secret}\n}}", f'{{"PrivateKey": "{secret}" nonsense}}', f"[{secret}"):
        path.write_text(text)
        with pytest.raises(ConfigError) as caught:
            Config.load(path)
        error: BaseException | None = caught.value
        while error is not None:
            assert "5ec2e7" not in f"{error} {error!r} {vars(error)}"
            error = error.__cause__ or error.__context__


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
