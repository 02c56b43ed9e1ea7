"""ygg.identity.overlay: the addresses of the overlay, written in one place."""

from pathlib import Path

from ygg import address_of, subnet_of
from ygg.identity.overlay import OVERLAY
from ygg.testing import public_key

ROOT = Path(__file__).resolve().parents[2]


def test_the_engines_addresses_and_subnets_are_its_halves() -> None:
    for number in range(20):
        assert OVERLAY.supernet_of(subnet_of(public_key(number)))
        assert address_of(public_key(number)) in OVERLAY
    assert [str(half) for half in OVERLAY.subnets()] == ["200::/8", "300::/8"]


def test_no_other_module_writes_it() -> None:
    paths = [path for path in (ROOT / "ygg").rglob("*.py") if '"200::/7"' in path.read_text(encoding="utf-8")]
    assert paths == [ROOT / "ygg/identity/overlay.py"]
