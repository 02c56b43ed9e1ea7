"""What the commands share."""

import argparse
import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from ygg import Config
from ygg.cli.common import add_config, add_new_identity, load
from ygg.errors import ConfigError
from ygg.testing import private_key


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(exit_on_error=False)
    add_config(made)
    add_new_identity(made)
    return made


def test_options() -> None:
    assert vars(parser().parse_args(["--config", "x"])) == {"config": "x", "new_identity": False}
    assert parser().parse_args(["--config", "-", "--new-identity"]).new_identity is True


@pytest.fixture
def path(tmp_path: Path) -> str:
    Config(private_key=private_key(7), if_name="none").save(tmp_path / "ygg.conf")
    return str(tmp_path / "ygg.conf")


def test_a_file_is_read(path: str) -> None:
    assert load(path).private_key == private_key(7)


def test_standard_input_is_read(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(Path(path).read_bytes())))
    assert load("-") == load(path)


def test_a_new_identity_takes_the_place_of_the_file_s(path: str) -> None:
    one, other = load(path, new_identity=True), load(path, new_identity=True)
    assert len({one.private_key, other.private_key, private_key(7)}) == 3
    assert one.if_name == "none"


def test_a_file_without_identity_needs_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "ygg.conf"
    path.write_text('{IfName: "none"}')
    with pytest.raises(ConfigError):
        load(str(path))
    assert load(str(path), new_identity=True).if_name == "none"
