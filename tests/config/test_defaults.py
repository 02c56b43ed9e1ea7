"""ygg.config.defaults: the configuration's defaults, platform by platform (protocol 0.5, Config file)."""

import pytest

from ygg.config import defaults

ALL = [(".*", True, True)]
APPLE = [("en.*", True, True), ("bridge.*", True, True), ("awdl0", False, False)]


@pytest.mark.parametrize(
    ("platform", "admin", "name", "mtu", "rules"),
    [
        ("linux", "unix:///var/run/yggdrasil.sock", "auto", 65535, ALL),
        ("darwin", "unix:///var/run/yggdrasil.sock", "auto", 65535, APPLE),
        ("freebsd14", "unix:///var/run/yggdrasil.sock", "/dev/tun0", 32767, ALL),
        ("openbsd7", "unix:///var/run/yggdrasil.sock", "tun0", 16384, ALL),
        ("win32", "tcp://localhost:9001", "Yggdrasil", 65535, ALL),
        ("sunos5", "tcp://localhost:9001", "none", 65535, []),
    ],
)
def test_platforms(platform: str, admin: str, name: str, mtu: int, rules: list[tuple[str, bool, bool]]) -> None:
    assert defaults.admin_listen(platform) == admin
    assert defaults.interface_name(platform) == name
    assert defaults.interface_mtu(platform) == mtu
    assert defaults.multicast_rules(platform) == rules


@pytest.mark.parametrize(("wish", "mtu"), [(0, 1280), (1280, 1280), (1500, 1500), (65536, 65535)])
def test_an_mtu_is_clamped(wish: int, mtu: int) -> None:
    assert defaults.clamp_mtu(wish) == mtu
