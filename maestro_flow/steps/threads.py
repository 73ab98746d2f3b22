"""The executor ``threads``: runs code in this process, on threads of the node's runtime."""

from __future__ import annotations

from functools import partial

from maestro_flow.steps.calls import StepCall
from maestro_flow.steps.executors import CallHandle, CallListener, ExecutorHost
from maestro_flow.steps.workers import Ticket

__all__ = ["ThreadExecutor"]


class ThreadExecutor:
    """See the module. Threads cannot be killed, so one whose call is cancelled is replaced, at most once."""

    def __init__(self, host: ExecutorHost) -> None:
        self._perform = host.perform
        self._workers = host.workers("steps", host.settings["threads"])
        self.slots: int = host.settings["queue_max"]

    def submit(self, call: StepCall, listener: CallListener) -> CallHandle:
        handle = _ThreadCall()
        handle.ticket = self._workers.submit(partial(self._run, call, listener, handle))
        return handle

    def close(self) -> None:
        self._workers.close()

    def _run(self, call: StepCall, listener: CallListener, handle: _ThreadCall) -> None:
        now = listener.began()
        if now is not None:
            listener.returned(self._perform(call.begun(now), handle.is_cancelled, listener.progressed))


class _ThreadCall:
    """A submitted call, and the flag that its context reads."""

    __slots__ = ("_cancelled", "ticket")

    def __init__(self) -> None:
        self._cancelled = False
        self.ticket: Ticket | None = None

    def is_cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        self._cancelled = True
        if self.ticket is not None:
            self.ticket.give_up()
