"""ygg.config.document: HJSON as the daemon reads it, and errors that never quote it."""

import codecs
from pathlib import Path

import pytest

from ygg.config.config import Config, MulticastInterface
from ygg.errors import ConfigError


def test_the_last_of_a_name_in_several_cases_counts() -> None:
    assert Config.parse("{IfName: a\nifname: b\n}").if_name == "b"
    assert Config.parse("{ifname: b\nIfName: a\n}").if_name == "a"


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "not an object"),
        ("ab" * 64 + "\n", "it is a key by itself"),
        (b"\n-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n", "it is a key by itself"),
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
