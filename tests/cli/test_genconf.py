"""ygg genconf."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ygg import Config
from ygg.cli import main


def test_prints_a_configuration_with_a_new_identity(capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for _ in range(2):
        assert main(["genconf"]) == 0
        texts.append(capsys.readouterr().out)
    assert "# " in texts[0]
    first, second = (Config.parse(text) for text in texts)
    assert first.private_key != second.private_key
    assert first.to_hjson() == texts[0]


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-16"])
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_output_is_utf_8_whatever_the_locale(encoding: str, form: list[str], tmp_path: Path) -> None:
    path = tmp_path / "ygg.conf"
    with path.open("wb") as file:
        command = [sys.executable, "-W", "error", "-m", "ygg", "genconf", *form]
        subprocess.run(command, cwd=tmp_path, stdout=file, check=True, env=os.environ | {"PYTHONIOENCODING": encoding})
    config = Config.load(path, need_identity=True)
    assert path.read_text("utf-8") == (config.to_json() if form else config.to_hjson())


def test_a_file_name_that_is_not_utf_8(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff.conf"
    command = [sys.executable, "-W", "error", "-m", "ygg", "genconf", "--output", os.fsdecode(name)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout.endswith(b" is the public key of " + name + b"\n")
    assert Config.load(os.fsdecode(name)).private_key


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["genconf", "--json"]) == 0
    members = json.loads(capsys.readouterr().out)
    assert len(members["PrivateKey"]) == 128
    assert "AdminListen" not in members


def test_writes_a_file_for_its_owner_alone_and_none_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ygg.conf"
    umask = os.umask(0)
    try:
        assert main(["genconf", "--output", str(path)]) == 0
    finally:
        os.umask(umask)
    config = Config.load(path)
    shown = capsys.readouterr().out
    assert shown == f"{config.private_key.public_key.hex()} is the public key of {path}\n"
    assert config.private_key.hex() not in shown
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_text()
    assert main(["genconf", "--output", str(path)]) == 1
    assert capsys.readouterr().err == f"ygg: {path} exists; remove it first, or name another file\n"
    assert path.read_text() == before


def test_a_place_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "nowhere" / "ygg.conf"
    assert main(["genconf", "--output", str(path)]) == 1
    assert capsys.readouterr().err == f"ygg: cannot write {path}: No such file or directory\n"


FULL = """
import resource, sys
from ygg.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
sys.exit(main(["genconf", "--output", sys.argv[1]]))
"""


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """As the limit on the size of files, which a process may set for itself, gives it."""
    path = tmp_path / "ygg.conf"
    done = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"ygg: cannot write {path}: File too large\n"
    assert list(tmp_path.iterdir()) == []


def test_a_link_that_leads_nowhere_is_not_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ygg.conf"
    path.symlink_to(tmp_path / "elsewhere")
    assert main(["genconf", "--output", str(path)]) == 1
    assert capsys.readouterr().err == f"ygg: {path} exists; remove it first, or name another file\n"
    assert list(tmp_path.iterdir()) == [path]
