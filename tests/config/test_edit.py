"""Lists of a configuration that are changed where they stand."""

import json
import random
from collections.abc import Callable

import pytest

from ygg import Config
from ygg.config.document import parse_document
from ygg.config.edit import added, removed, texts
from ygg.errors import ConfigError
from ygg.testing import private_key

PEERS = ("Peers",)
NEW = "tls://[2001:db8::1]:443?priority=1"


@pytest.mark.parametrize(("before", "after"), [
    ("{}", '{\n  "Peers": [\n    "NEW"\n  ]\n}'),
    ('{ "Peers": [] }', '{ "Peers": [\n  "NEW"\n] }'),
    ('{"Peers":["a"],"Listen":[]}', '{"Peers":["a", "NEW"],"Listen":[]}'),
    ("{\n  # mine\n  Peers: []\n}\n", '{\n  # mine\n  Peers: [\n    "NEW"\n  ]\n}\n'),
    ("{\n  Peers: [\n    # none yet\n  ]\n}\n", '{\n  Peers: [\n    "NEW"\n    # none yet\n  ]\n}\n'),
    (
        '{\n  Peers: [\n    "a", # home\n    "b" # away\n    # the end\n  ]\n  IfName: none\n}\n',
        '{\n  Peers: [\n    "a", # home\n    "b", # away\n    "NEW"\n    # the end\n  ]\n  IfName: none\n}\n',
    ),
    ("{\n  Peers: [\n    tls://a:1\n    tls://b:2\n  ]\n}",
     '{\n  Peers: [\n    tls://a:1\n    tls://b:2\n    "NEW"\n  ]\n}'),
    ("IfName: none\r\nPeers: [\r\n  'a'\r\n]\r\n", 'IfName: none\r\nPeers: [\r\n  \'a\',\r\n  "NEW"\r\n]\r\n'),
    ("# all by itself\nIfName: none\n", '"Peers": [\n  "NEW"\n]\n# all by itself\nIfName: none\n'),
    ("{peers: null, PEERS: null}", '{peers: null, PEERS: [\n    "NEW"\n  ]}'),
    ('{\n  /* Peers: [ */\n  Peers: [ "x",\n    "y" ]\n}',
     '{\n  /* Peers: [ */\n  Peers: [ "x",\n    "y", "NEW" ]\n}'),
    ("{\n  Peers: [\n    '''long'''\n  ],\n}", "{\n  Peers: [\n    '''long''',\n    \"NEW\"\n  ],\n}"),
])  # fmt: skip
def test_an_element_is_added_and_removed_again(before: str, after: str) -> None:
    made = added(before.encode(), PEERS, NEW).decode()
    assert made.replace(NEW, "NEW") == after
    assert texts(made.encode(), PEERS)[-1] == NEW
    again = removed(made.encode(), PEERS, lambda one: one == NEW)
    assert texts(again, PEERS) == texts(before.encode(), PEERS)
    assert again.count(b"#") == before.count("#")


@pytest.mark.parametrize(("before", "after"), [
    ('{"Peers":["a","b","c"]}', '{"Peers":["a","c"]}'),
    ('{"Peers":["b","a"]}', '{"Peers":["a"]}'),
    ('{"Peers":["a","b"]}', '{"Peers":["a"]}'),
    ('{"Peers":["b"]}', '{"Peers":[]}'),
    ('{\n "Peers": [\n  "a",\n  "b"\n ]\n}\n', '{\n "Peers": [\n  "a"\n ]\n}\n'),
    ("{\n Peers: [\n  # one\n  a\n  # two\n  b\n  # three\n ]\n}\n",
     "{\n Peers: [\n  # one\n  a\n  # two\n  # three\n ]\n}\n"),
    ('{\n Peers: [\n  "a", "b", # both\n ]\n}\n', '{\n Peers: [\n  "a", # both\n ]\n}\n'),
    ('{\n Peers: [\n  "b", # old\n  "a"\n ]\n}\n', '{\n Peers: [\n  # old\n  "a"\n ]\n}\n'),
])  # fmt: skip
def test_an_element_goes_and_comments_stay(before: str, after: str) -> None:
    assert removed(before.encode(), PEERS, lambda one: one == "b").decode() == after


def test_peers_of_an_interface() -> None:
    path = ("InterfacePeers", "eth0")
    for before in (
        "{}", "{InterfacePeers: {}}", "{InterfacePeers: null}", '{InterfacePeers: {"eth0": ["a"]}}',
        "{\n  InterfacePeers: {\n    # wired\n    eth1: [ 'b' ]\n  }\n}\n",
        Config(private_key=private_key(1)).to_hjson(),
    ):  # fmt: skip
        made = added(before.encode(), path, NEW)
        assert texts(made, path)[-1] == NEW
        assert texts(removed(made, path, lambda one: one == NEW), path) == texts(before.encode(), path)
        assert ("# wired" in before) == (b"# wired" in made)


def test_files_as_they_are_written_and_byte_order_marks() -> None:
    config = Config(private_key=private_key(1), peers=["tls://a:1"])
    for text in (config.to_hjson(), config.to_json()):
        for encoding in ("utf-8", "utf-8-sig", "utf-16"):
            made = added(text.encode(encoding), PEERS, NEW)
            assert Config.parse(made).peers == ["tls://a:1", NEW]
            assert removed(made, PEERS, lambda one: one == NEW) == text.encode(encoding)
    assert json.loads(added(config.to_json().encode(), PEERS, NEW))["Peers"][-1] == NEW
    latin = b"# caf\xe9\nPeers: [\n  'a'\n]\n"
    assert added(latin, PEERS, NEW).startswith(b"# caf\xe9\n")


@pytest.mark.parametrize("text", [
    "[]", "{Peers: 5}", "{Peers: {}}", "{Peers: [[]]}", "{Peers: [{}]}", "{", "{Peers: [", '{Peers: ["a" }',
    "{Peers: tls://a:1}", "{Peers: []", "Peers: [}", "\x00", "{Peers: [" + "[" * 200,
])  # fmt: skip
def test_what_is_no_list_of_strings_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        added(text.encode(), PEERS, NEW)
    with pytest.raises(ConfigError):
        added(text.encode(), ("InterfacePeers", "eth0"), NEW) and removed(text.encode(), PEERS, bool)


def test_a_value_that_no_file_can_hold_is_refused() -> None:
    for value in ("\ud800", "a\nb"):
        try:
            made = added(b"{}", PEERS, value)
        except (ConfigError, UnicodeEncodeError):
            continue
        assert texts(made, PEERS) == [value]


def _written(chance: random.Random, values: list[str], *, strict: bool) -> str:
    """Return a list as users write it."""
    comment = "" if strict else chance.choice(["", "", " # it's \"here\" [", " // }", " /* ] */"])
    separators = [",", ",\n   "] if strict else [",", ",\n   ", "\n", " ,\n\t", comment + "\n    "]
    forms: list[Callable[[str], str]] = [json.dumps]
    if not strict:
        forms += [lambda one: f"'{one}'", lambda one: f"\n{one}\n"]
    text = "[" + chance.choice(["", " ", "\n    "])
    for number, value in enumerate(values):
        text += chance.choice(forms)(value)
        if number < len(values) - 1:
            text += chance.choice(separators) if not text.endswith("\n") else ""
    return text + chance.choice(["", "\n", comment + "\n  "]) + "]"


def test_whatever_the_form_either_the_change_alone_or_none_is_made() -> None:
    chance = random.Random(3)
    changed = 0
    for _ in range(2000):
        strict = chance.random() < 0.3
        values = [f"tls://host-{chance.randrange(5)}:{chance.randrange(99)}" for _ in range(chance.randrange(4))]
        peers = _written(chance, values, strict=strict)
        name = '"Peers"' if strict else chance.choice(["Peers", '"peers"', "PEERS"])
        rest = '"IfMTU": 1280,\n "NodeInfo": {"Peers": ["x"]}' if strict else "IfMTU: 1280\n NodeInfo: {Peers: [x\n]}"
        end = "," if strict else "\n"
        text = chance.choice([f"{{\n {name}: {peers},\n {rest}}}", f"{{{rest}{end}{name}:{peers}}}"])
        try:
            before = parse_document(text)
        except ConfigError:
            continue
        made = added(text.encode(), PEERS, NEW)
        assert texts(made, PEERS) == [*values, NEW]
        first = values[0] if values else ""
        less = removed(made, PEERS, first.__eq__)
        assert texts(less, PEERS) == [one for one in [*values, NEW] if one != first]
        assert parse_document(less)["NodeInfo"] == before["NodeInfo"]
        if strict:
            json.loads(less)
        changed += 1
    assert changed > 1000
