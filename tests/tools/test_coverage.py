"""tools/coverage: what counts as a loss, and which floor is kept."""

import importlib.machinery
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import owntests

ROOT = Path(__file__).resolve().parents[2]


def load() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("tools_coverage", str(ROOT / "tools/coverage"))
    spec = importlib.util.spec_from_loader("tools_coverage", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


TOOL = load()


def found(module: str, percent: float) -> object:
    return TOOL.Found(module, percent, (), False)


def test_less_than_the_floor_is_a_loss_and_what_is_new_has_none() -> None:
    both = [found("a.py", 89.9), found("b.py", 90.0), found("c.py", 0.0)]
    assert TOOL.below(both, {"a.py": 90, "b.py": 90}) == both[:1]


def test_the_floor_that_is_kept_is_what_is_reached_less_one_of_the_modules_that_there_are() -> None:
    floor = {"a.py": 50, "gone.py": 90, "other.py": 70}
    new = TOOL.kept([found("a.py", 80.7), found("b.py", 0.3)], floor, ["a.py", "b.py", "other.py"])
    assert new == {"a.py": 79, "b.py": 0, "other.py": 70}


def test_the_floor_names_modules_that_exist() -> None:
    floor = json.loads((ROOT / "tools/coverage.json").read_text())
    assert set(floor) <= set(owntests.modules())
    assert all(0 <= percent <= 100 for percent in floor.values())
