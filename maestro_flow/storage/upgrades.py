"""Facts about older schemas that the migrations of several backends share."""

from __future__ import annotations

from zlib import crc32

__all__ = ["PERMIT_FLOW_HASH"]

PERMIT_FLOW_HASH = crc32(b"maestro_permits")
"""Schema 2: the permit flow's group is this number modulo the number of groups of the store."""
