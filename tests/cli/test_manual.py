"""ygg.cli.manual: manual pages, which groff reads without a complaint; what is shipped is made of the parsers."""

import subprocess
from pathlib import Path

import pytest

from ygg.cli.entry import make_parser
from ygg.cli.manual import pages

ROOT = Path(__file__).parents[2]
PAGES = pages(*make_parser())


def test_those_that_are_shipped_are_made_of_the_parsers() -> None:
    """`tools/docs` writes them."""
    shipped = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs/man").iterdir()}
    assert shipped == PAGES


@pytest.mark.parametrize("name", PAGES)
def test_groff_reads_it(name: str, tmp_path: Path) -> None:
    """Where there is groff: man is made of it."""
    path = tmp_path / name
    path.write_text(PAGES[name], encoding="utf-8")
    try:
        done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", path], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("needs groff")
    assert (done.returncode, done.stderr) == (0, "")


def test_each_option_of_a_command_is_there() -> None:
    _, known = make_parser()
    for name, parser in known.items():
        for action in parser.arguments():
            for option in action.option_strings:
                assert option.replace("-", "\\-") in PAGES[f"ygg-{name}.1"]
    assert "ygg\\-ping" in PAGES["ygg.1"]
