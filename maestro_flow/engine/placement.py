"""Placement of a run: decided once, recorded in its entry, never computed again (PROTOCOL 19)."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

__all__ = ["place"]


def place(key: str, groups: Sequence[int]) -> int:
    """A group for the key: the same key and the same groups give the same group, in any process and version."""
    return groups[crc32(key.encode()) % len(groups)]
