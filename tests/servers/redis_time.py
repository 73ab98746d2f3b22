"""Time that stands still on a Redis server: the scripts are told it with each call, instead of asking for it.

The backend itself runs as it is: only the part ``clock.lua`` of its scripts is another, which takes one more argument.
"""

from __future__ import annotations

from typing import Any

from maestro_flow_redis.server import Call, Server
from maestro_flow_redis.target import Target

from maestro_flow.clock import Clock

_TOLD_TIME = """
local told_time = table.remove(ARGV)

local function store_time()
  return told_time
end
"""


class ServerAtTime(Server):
    """A server whose time is a clock's."""

    clock = _TOLD_TIME

    def __init__(self, url: str, clock: Clock) -> None:
        super().__init__(Target.of(url))
        self._told = clock

    def arguments(self, call: Call) -> tuple[Any, ...]:
        is_founding = call.script.startswith("found_") and call.script != "found_last"
        return super().arguments(call) if is_founding else (*super().arguments(call), repr(self._told.time()))
