"""Observations of the processes of a storm: one line of JSON each, appended to one file with a single write.

With ``O_APPEND`` a line is complete whatever happens to its process afterwards; nothing is buffered, so a kill loses no
observation.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

__all__ = ["Diary", "read"]


class Diary:
    """Appends lines; each has its kind and the pid of its writer."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, kind: str, **seen: Any) -> None:
        os.write(self._file, msgspec.json.encode({"kind": kind, "pid": os.getpid(), **seen}) + b"\n")


def read(path: Path, kind: str) -> list[dict[str, Any]]:
    """The lines of a kind, in order."""
    lines = (msgspec.json.decode(line) for line in path.read_bytes().splitlines()) if path.exists() else ()
    return [line for line in lines if line["kind"] == kind]
