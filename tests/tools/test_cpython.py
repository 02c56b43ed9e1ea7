"""tools/cpython: what cannot pass is listed, with a reason, and the list is checked both ways."""

from pathlib import Path

from cpythontests.known import FILE, Entry, Ran, judge, read, short

ROOT = Path(__file__).resolve().parents[2]

ENTRY = Entry(("test_x.*.test_one",), "because")


def test_the_list_can_be_read_and_has_a_reason_for_each() -> None:
    entries = read(FILE.read_text())
    assert entries
    for entry in entries:
        assert entry.tests
        assert entry.reason.endswith(".")


def test_a_failure_that_is_listed_is_none() -> None:
    assert judge([Ran("test_x.A.test_one", "failed"), Ran("test_x.A.test_two", "passed")],
                 [ENTRY], "3.11", "asyncio", ["test_x"]) == []


def test_one_that_is_not_listed_is_an_error_with_its_text() -> None:
    assert judge([Ran("test_x.A.test_one", "failed"), Ran("test_x.A.test_two", "failed", 1, "text")],
                 [ENTRY], "3.11", "asyncio", ["test_x"]) == ["test_x.A.test_two failed\ntext"]


def test_an_entry_that_passes_or_matches_nothing_is_an_error() -> None:
    ran = [Ran("test_x.A.test_one", "failed"), Ran("test_x.B.test_one", "passed")]
    assert judge(ran, [ENTRY], "3.11", "asyncio", ["test_x"]) == ["test_x.B.test_one is listed, and passed"]
    assert judge([], [ENTRY], "3.11", "asyncio", ["test_x"]) == [
        "test_x.*.test_one is listed, and there is no such test"]
    assert judge([], [ENTRY], "3.11", "asyncio", ["test_y"]) == []


def test_what_passes_sometimes_may_pass_or_fail_and_nothing_else() -> None:
    entry = Entry(ENTRY.tests, "because", sometimes=True)
    ran = [Ran("test_x.A.test_one", "failed"), Ran("test_x.B.test_one", "passed")]
    assert judge(ran, [entry], "3.11", "asyncio", ["test_x"]) == []
    assert judge([Ran("test_x.A.test_one", "skipped")], [entry], "3.11", "asyncio", ["test_x"]) == [
        "test_x.A.test_one is listed, and skipped"]


def test_entries_hold_for_the_versions_and_loops_that_they_name() -> None:
    ran = [Ran("test_x.A.test_one", "failed")]
    for entry in (Entry(ENTRY.tests, "because", ("3.12",)), Entry(ENTRY.tests, "because", (), ("uvloop",))):
        assert judge(ran, [entry], "3.11", "asyncio", ["test_x"]) == ["test_x.A.test_one failed\n"]
        assert judge(ran, [entry], "3.12", "uvloop", ["test_x"]) == []


def test_names_are_without_their_package() -> None:
    assert short("test.test_asyncio.test_x.A.test_one") == "test_x.A.test_one"


def test_ci_runs_it() -> None:
    assert "tools/cpython" in (ROOT / ".ci/run").read_text().split()
