"""What the migrations of several backends know of an older schema."""

from __future__ import annotations

from zlib import crc32

__all__ = ["PERMIT_FLOW_HASH"]

PERMIT_FLOW_HASH = crc32(b"maestro_permits")
"""Schema 2: the group of the flow that gives out permits is this modulo the number of groups of the store."""
