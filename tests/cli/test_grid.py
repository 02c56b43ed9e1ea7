"""ygg.cli.grid: tables with and without lines."""

from ygg.cli.grid import grid, width


def test_heads_are_in_the_middle_and_cells_at_the_left() -> None:
    assert grid(("A", "Long head"), [("wide", "x"), ("", "y")]) == (
        "┌──────┬───────────┐\n"
        "│  A   │ Long head │\n"
        "├──────┼───────────┤\n"
        "│ wide │ x         │\n"
        "│      │ y         │\n"
        "└──────┴───────────┘\n"
    )  # fmt: skip


def test_without_lines_and_without_heads() -> None:
    assert grid((), [("a:", "1"), ("bc:", "23")], borders=False) == " a:   1  \n bc:  23 \n"


def test_heads_alone() -> None:
    assert grid(("A", "B"), []) == "┌───┬───┐\n│ A │ B │\n└───┴───┘\n"


def test_letters_that_take_two_columns_or_none() -> None:
    assert (width("漢a"), width("e\u0301")) == (3, 1)
    assert grid((), [("漢",), ("abc",)]) == "┌─────┐\n│ 漢  │\n│ abc │\n└─────┘\n"
