"""What tests of lists begin with."""

from pathlib import Path

import pytest

from tests.autopeer.lists import KEY


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "lists"
    for name, text in {
        "README.md": "`tcp://192.0.2.9:9`",
        "europe/germany.md": f"* `tls://[2001:db8::1]:443?key={KEY}`\n* `tcp://b.example:1`",
        "europe/france.md": "* `tcp://b.example:1`\n* `unix:///run/ygg.sock`",
        "asia/hong-kong.md": "* `quic://192.0.2.1:2`",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root
