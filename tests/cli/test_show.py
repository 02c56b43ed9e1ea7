"""ygg show."""

import io
from pathlib import Path

import pytest

from ygg import Config, address_of, subnet_of
from ygg.cli import main
from ygg.testing import private_key, public_key

PUBLIC = public_key(7)


@pytest.fixture
def path(tmp_path: Path) -> str:
    Config(private_key=private_key(7)).save(tmp_path / "ygg.conf")
    return str(tmp_path / "ygg.conf")


def test_all(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--config", path]) == 0
    shown = capsys.readouterr()
    assert shown.out.split() == ["address:", str(address_of(PUBLIC)), "subnet:", str(subnet_of(PUBLIC)),
                                 "key:", PUBLIC.hex()]  # fmt: skip
    assert private_key(7).hex()[:64] not in shown.out + shown.err


@pytest.mark.parametrize(
    ("what", "text"), [("address", str(address_of(PUBLIC))), ("subnet", str(subnet_of(PUBLIC))), ("key", PUBLIC.hex())]
)
def test_one_for_scripts(path: str, what: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", what, "--config", path]) == 0
    assert capsys.readouterr().out == text + "\n"


def test_standard_input(path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(Path(path).read_bytes())))
    assert main(["show", "key", "--config", "-"]) == 0
    assert capsys.readouterr().out == PUBLIC.hex() + "\n"


def test_errors_name_the_file_and_no_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "missing.conf")
    assert main(["show", "--config", missing]) == 1
    assert capsys.readouterr().err == f"ygg: cannot read the configuration {missing}: No such file or directory\n"
    bad = tmp_path / "bad.conf"
    bad.write_text('{ PrivateKey: "c0ffee" }')
    assert main(["show", "--config", str(bad)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"ygg: {bad}: PrivateKey: ")
    assert "c0ffee" not in error


@pytest.mark.parametrize("text", ["{}", "", "{Peers: []}", "{PrivateKey: null\n}"])
def test_a_file_without_an_identity(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An address that is another each time is none to show."""
    path = tmp_path / "ygg.conf"
    path.write_text(text)
    assert main(["show", "--config", str(path)]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"ygg: {path}: there is no PrivateKey and no PrivateKeyPath: put in ")
    assert "`ygg genconf`" in shown.err
