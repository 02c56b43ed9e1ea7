"""A test has the same examples of Hypothesis in whatever company it runs; see conftest."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st


def drawn() -> list[tuple[bytes, int]]:
    found = []

    @given(st.binary(max_size=2), st.integers())
    def draw(data: bytes, number: int) -> None:
        found.append((data, number))

    draw()
    return found


def load(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import a file as a module of the project would be."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, module)
    spec.loader.exec_module(module)


@pytest.mark.skipif(os.environ.get("HYPOTHESIS_PROFILE", "brief") != "brief", reason="in long runs examples differ")
def test_examples_are_not_drawn_from_other_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = drawn()
    path = tmp_path / "company.py"
    path.write_text(f"numbers = {[1000 + number for number in range(300)]}\n")
    load(path, monkeypatch)
    assert drawn() == before
