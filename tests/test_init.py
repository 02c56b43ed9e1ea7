"""ygg: what a user imports."""

import subprocess
import sys

import pytest

import ygg


@pytest.mark.parametrize("name", ygg.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(ygg, name)
    assert name in dir(ygg)
    assert isinstance(value, str) or value.__doc__


def test_every_lazy_name_is_public() -> None:
    assert sorted([*ygg._HOME_OF, "__version__"]) == sorted(ygg.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        ygg.nonsense  # noqa: B018


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, ygg; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "ygg" in loaded
    assert not {"asyncio", "cryptography", "hjson", "pysodium", "ssl", "ygg_c.node.node"} & set(loaded)


def test_the_gateway_has_the_references_name_too() -> None:
    assert ygg.ReadWriteCloser is ygg.Gateway
