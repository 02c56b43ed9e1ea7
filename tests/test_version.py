"""ygg.version: one number, which the distribution, the command line and the changelog have."""

import importlib.metadata
import re
from pathlib import Path

import ygg
from ygg.version import __version__

ROOT = Path(__file__).parent.parent


def test_it_is_a_version() -> None:
    """As PEP 440 has them, without an epoch or a local part."""
    assert re.fullmatch(r"\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?", __version__)


def test_it_is_the_distributions() -> None:
    assert importlib.metadata.version("ygg") == ygg.__version__ == __version__


def test_the_changelog_begins_with_it_or_what_is_to_come() -> None:
    heading = re.search(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert heading is not None
    assert __version__ in heading[1] or "nreleased" in heading[1]
