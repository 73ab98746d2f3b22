"""The Redis backend of maestro-flow: one Lua script per verb, in ``scripts/``, and their callers."""

from __future__ import annotations

from maestro_flow_redis.opening import open_redis

__all__ = ["open_redis"]
