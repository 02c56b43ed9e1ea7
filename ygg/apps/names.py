"""What strangers write, made fit for a terminal and for a folder."""

from __future__ import annotations

import re
import unicodedata

MOST = 200
"""Bytes of a file's name; file systems take 255, and the part of a file that has come has a longer name."""

_PARTS = re.compile(r"[/\\]")
_RESERVED = re.compile(r'[<>:"|?*]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.I)


def printable(text: str) -> str:
    """Return text for a terminal: what would control it, or have letters run the other way, is a `�` each."""
    return "".join("�" if _controls(letter) else letter for letter in text)


def _controls(letter: str) -> bool:
    # Cc, Cf, Cs, Co and Cn: control, format (the marks of writing direction too), and what is no character.
    return unicodedata.category(letter)[0] == "C" or unicodedata.category(letter) in ("Zl", "Zp")


def safe_name(claimed: str) -> str:
    """Return the name of a file, in one folder and visible there, for what a stranger calls it.

    Folders are left out, and so are dots at the begin; what no system takes in a name is `_`.
    """
    name = _PARTS.split(claimed[:4096])[-1]
    name = "".join(" " if letter.isspace() else "_" if _controls(letter) else letter for letter in name)
    name = _RESERVED.sub("_", unicodedata.normalize("NFC", name)).lstrip(". ").rstrip(". ")
    name = _shorter(name).rstrip(". ")
    return f"_{name}" if _DEVICES.fullmatch(name) else name or "file"


def _shorter(name: str) -> str:
    """Return the name cut to `MOST` bytes, with its suffix."""
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix.encode()) > 20:
        stem, suffix = name, ""
    end = f".{suffix}" if suffix else ""
    return stem.encode()[: MOST - len(end.encode())].decode("utf-8", "ignore") + end
