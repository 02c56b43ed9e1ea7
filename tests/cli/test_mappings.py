"""ygg.cli.mappings: ports as yggstack's options write them."""

from collections.abc import Callable

import pytest

from ygg.cli.common import UsageError
from ygg.cli.mappings import Mapping, listening, local, name_server, remote


@pytest.mark.parametrize(("text", "found"), [
    ("8080:[200::1]:80", Mapping("127.0.0.1", 8080, "200::1", 80)),
    (":8080:[200::1]:80", Mapping("127.0.0.1", 8080, "200::1", 80)),
    ("0.0.0.0:8080:[200::1]:80", Mapping("0.0.0.0", 8080, "200::1", 80)),
    ("[::1]:8080:[200::1]:80", Mapping("::1", 8080, "200::1", 80)),
    ("8080:name.pk.ygg:80", Mapping("127.0.0.1", 8080, "name.pk.ygg", 80)),
])
def test_local(text: str, found: Mapping) -> None:
    assert local(text) == found


@pytest.mark.parametrize(("text", "found"), [
    ("80", Mapping("", 80, "localhost", 80)),
    ("80:8080", Mapping("", 80, "localhost", 8080)),
    ("80:192.0.2.1:8080", Mapping("", 80, "192.0.2.1", 8080)),
    ("80:[2001:db8::1]:8080", Mapping("", 80, "2001:db8::1", 8080)),
])
def test_remote(text: str, found: Mapping) -> None:
    assert remote(text) == found


def test_places() -> None:
    assert listening(":1080") == ("", 1080)
    assert listening("127.0.0.1:1080") == ("127.0.0.1", 1080)
    assert listening("[::1]:1080") == ("::1", 1080)
    assert listening("/run/socks") == "/run/socks"
    assert name_server("200::53") == ("200::53", 53)
    assert name_server("[200::53]:5353") == ("200::53", 5353)
    assert name_server("[200::53]") == ("200::53", 53)


@pytest.mark.parametrize(("parse", "text"), [
    (local, ""), (local, "8080"), (local, "80:200::1:80"), (local, "x:[200::1]:80"), (local, "80:[200::1]:0"),
    (local, "80:[200::1]:65536"), (local, "a:b:80:[200::1]:80"), (remote, ""), (remote, "x"), (remote, "80:"),
    (remote, "80:x"), (remote, "0"), (remote, "80:::1:80"), (listening, "::1:1080:x"), (listening, ":"),
    (listening, ":99999"), (name_server, ""), (name_server, "dns.example"), (name_server, "[200::53]:x"),
])
def test_what_is_none(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(UsageError, match=r"write|no port"):
        parse(text)
