"""ygg.names.computed: names that need no question, and names that have their server in them."""

from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ygg.names.computed import computed, server_in, spelled

YGGNS = IPv6Address("202:12a9:e5:4474:d473:82be:16ac:9381")


@pytest.mark.parametrize("label", [
    "020212a900e54474d47382be16ac9381", "2aijksahfir2ni44cxylkze4b", "202-12a9-e5-4474-d473-82be-16ac-9381",
])
def test_three_spellings_of_yggns(label: str) -> None:
    assert server_in(f"{label}.ygg") == YGGNS
    assert server_in(f"www.of.{label}.ygg") == YGGNS
    assert server_in(f"{label}.www.ygg") is None
    assert computed(f"{label}.ygg") is None


def test_two_dashes_are_two_colons() -> None:
    assert server_in("200--1.ygg") == IPv6Address("200::1")


def test_a_server_in_base32() -> None:
    assert server_in("www.aiag7sesed2aaxgcgbnevruwpy.meshname") == IPv6Address("200:6fc8:9220:f400:5cc2:305a:4ac6:967e")


@pytest.mark.parametrize("name", [
    "", "ygg", "meshname", "name.ygg", "pk.ygg", "-.ygg", "--.ygg", "2001-db8--1.ygg", "04" * 16 + ".ygg",
    "0" * 32 + ".ygg", "a" * 25 + ".ygg", "1" + "a" * 24 + ".ygg", "f" * 26 + ".meshname", "a" * 26 + ".meshname",
    "aiag7sesed2aaxgcgbnevruwpy.meship", "1iag7sesed2aaxgcgbnevruwpy.meshname", "202-12a9.example",
])
def test_names_without_a_server_of_the_overlay(name: str) -> None:
    assert server_in(name) is None


@given(st.integers(0x02 << 120, (0x04 << 120) - 1))
def test_the_name_of_an_address_leads_back(number: int) -> None:
    address = IPv6Address(number)
    name = spelled(address)
    assert computed(name) == address
    assert server_in(name.replace(".meship", ".meshname")) == address
    assert server_in(f"{number:032x}.ygg") == address


@given(st.text(max_size=70))
def test_any_text_is_a_name_or_none(text: str) -> None:
    for zone in ("ygg", "meshname", "meship", "pk.ygg"):
        name = f"{text}.{zone}".lower()
        assert computed(name) is None or server_in(name) is None
