"""The executors of a node, each with its pool of slots. One is opened when the first step needs it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from maestro_flow.actors.slots import SlotPool
from maestro_flow.core.slots import Slots
from maestro_flow.errors import PluginError
from maestro_flow.steps.calls import StepCall
from maestro_flow.steps.executors import CallHandle, CallListener, Executor

__all__ = ["Executors"]

logger = logging.getLogger("maestro_flow.actors")


class Executors:
    """See the module. Made by the node, which says how one is opened."""

    def __init__(self, open_executor: Callable[[str], Executor], *, suspects_max: int) -> None:
        self._open, self._suspects_max = open_executor, suspects_max
        self._opened: dict[str, Executor] = {}
        self._pools: dict[str, SlotPool] = {}
        self.problems: dict[str, str] = {}
        """Of those that cannot be used, why."""

    @property
    def pools(self) -> Mapping[str, SlotPool]:
        """Those of the executors that are open, as they come."""
        return self._pools

    def is_usable(self, name: str) -> bool:
        """Opens it, if it is not open yet. One that cannot be opened is not tried again, and the log says why."""
        if name in self._pools:
            return True
        if name in self.problems:
            return False
        try:
            executor = self._opened[name] = self._open(name)
        except PluginError as error:
            self.problems[name] = str(error)
            logger.exception("steps that run on executor %s wait: it cannot be used here", name)
            return False
        self._pools[name] = SlotPool(Slots(executor.slots, self._suspects_max, 1))
        return True

    def submit(self, name: str, call: StepCall, listener: CallListener) -> CallHandle:
        """Give a call to an executor that is usable."""
        return self._opened[name].submit(call, listener)

    def close(self) -> None:
        for executor in self._opened.values():
            executor.close()
