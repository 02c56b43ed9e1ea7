"""The settings of a jumper."""

from typing import Any

import pytest

from ygg import JumperConfig

KEY = bytes(32)


def test_lists_are_kept_in_a_form_of_their_own() -> None:
    config = JumperConfig(schemes=["TLS"], keys=[KEY, KEY], addresses=iter(["tls://9.9.9.9:7"]))
    assert config.schemes == ("tls",)
    assert config.keys == {KEY}
    assert config.addresses == ("tls://9.9.9.9:7",)


@pytest.mark.parametrize(("field", "value"), [
    ("addresses", "tls://9.9.9.9:7"), ("networks", "192.0.2.0/24"), ("schemes", "tls"), ("keys", [b"short"]),
    *[(name, 0) for name in ("interval", "rate", "margin", "concurrency", "per_minute", "rest")],
    ("idle", -1), ("maximum_links", -1), ("networks", ["192.0.2.1/24"]), ("networks", ["x"]),
    ("addresses", ["tls://localhost:7"]), ("addresses", ["ws://9.9.9.9:7"]), ("addresses", ["tls://10.0.0.1:7"]),
])
def test_what_makes_no_sense(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        JumperConfig(**{field: value})


def test_none_at_once_and_no_waiting_make_sense() -> None:
    assert JumperConfig(idle=0, maximum_links=0).maximum_links == 0


def test_a_network_of_ones_own_may_be_published() -> None:
    assert JumperConfig(networks=["10.0.0.0/8"], addresses=["tls://10.0.0.1:7"]).addresses == ("tls://10.0.0.1:7",)
