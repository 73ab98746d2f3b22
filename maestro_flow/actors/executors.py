"""The executors of a node, each with its pool of slots. An executor is opened when the first step needs it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from maestro_flow.actors.slots import SlotPool
from maestro_flow.core.slots import Slots
from maestro_flow.errors import PluginError
from maestro_flow.steps.calls import StepCall, StepReturn
from maestro_flow.steps.executors import CallHandle, CallListener, Executor

__all__ = ["Executors"]

logger = logging.getLogger("maestro_flow.actors")


class Executors:
    """See the module. ``open_executor`` opens the executor of a name."""

    def __init__(self, open_executor: Callable[[str], Executor], *, suspects_max: int) -> None:
        self._open, self._suspects_max = open_executor, suspects_max
        self._opened: dict[str, Executor] = {}
        self._pools: dict[str, SlotPool] = {}
        self.problems: dict[str, str] = {}
        """Why an executor cannot be used, by name."""

    @property
    def pools(self) -> Mapping[str, SlotPool]:
        """The pools of the open executors, by name; a live view."""
        return self._pools

    def is_usable(self, name: str) -> bool:
        """Open it if necessary. An executor that failed to open is not tried again; the log says why."""
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
        """Submit a call to a usable executor; if that raises, the call is lost, which is a PLATFORM_ERROR."""
        try:
            return self._opened[name].submit(call, listener)
        except Exception as error:
            logger.exception("executor %s refused a call", name)
            listener.returned(StepReturn.lost(call, f"executor {name!r} refused the call: {error!r}"))
            return _Refused()

    def close(self) -> None:
        for executor in self._opened.values():
            executor.close()


class _Refused:
    """The handle of a call that no executor has accepted."""

    def cancel(self) -> None:
        """Nothing is under way."""
