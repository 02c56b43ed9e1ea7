"""The table that tools/arena prints, and the one in the docs."""

import re
from pathlib import Path

import pytest

from hostile import __main__ as tool
from hostile.arena import Outcome, Phase
from hostile.attacks import ATTACKS

PAGE = Path(__file__).parents[2] / "docs" / "attacks.md"
CALM = Phase(lag=1.2, work=0, resident=46.2, ping=0.66, failures=0, newcomer=24.6, lost=0)
HURT = Phase(lag=70, work=60, resident=99, ping=12.34, failures=2, newcomer=float("inf"), lost=1)


def test_a_row_tells_what_was_before_and_during() -> None:
    """Times in milliseconds; a newcomer that was not served took for ever."""
    cells = tool.cells("churn", Outcome(CALM, HURT, CALM, "much", ""))
    assert tool.row(cells) == "| `churn` | 70 | 0.7 → 12.3 | 2 | inf | 46 → 99 | 1 |"


def test_the_page_has_a_row_of_figures_for_each_attack() -> None:
    """In the columns that the tool prints."""
    lines = PAGE.read_text().splitlines()
    start = lines.index(tool.row(tool.COLUMNS))
    shape = re.compile(r"\| `(\w+)` \| \d+ \| [\d.]+ → [\d.]+ \| \d+ \| (\d+|inf) \| \d+ → \d+ \| \d+ \|")
    found = [shape.fullmatch(line) for line in lines[start + 2 :] if line.startswith("|")]
    assert [match and match[1] for match in found] == list(ATTACKS)


def test_unknown_attacks_are_refused_by_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says how to learn the names."""
    monkeypatch.setattr("sys.argv", ["arena", "charm"])
    with pytest.raises(SystemExit):
        tool.main()
    assert "no attack is called charm; --list names them" in capsys.readouterr().err
