"""The listener of one call: an executor reports to it on any thread, and it passes the reports to the step's actor."""

from __future__ import annotations

import threading
from typing import Any

from pykka import ActorRef

from maestro_flow.actors.base import post
from maestro_flow.actors.messages import CodeBegan, MadeProgress, StillRunning
from maestro_flow.actors.runtime import Timer
from maestro_flow.actors.services import Held, Services
from maestro_flow.steps.calls import StepCall, StepReturn
from maestro_flow.steps.context import CallProgress

__all__ = ["StepListener"]

_ASK_AGAIN_S = 0.1
"""Delay before a call that came up past its group's lease deadline is tried again, if the group is not lost."""

_progress_lock = threading.Lock()
"""Shared by all listeners: held only for a moment, and most code never reports progress."""


class StepListener:
    """See the module; a ``CallListener``. ``began_at`` is that of the attempt, once its code has begun.

    Progress is kept here until the actor takes it. The actor is notified once, however often the code reports.
    """

    __slots__ = ("_call", "_held", "_is_told", "_progress", "_ref", "_reminder", "_services", "began_at", "heard_at")

    def __init__(self, services: Services, held: Held, ref: ActorRef[Any], call: StepCall) -> None:
        self._services, self._held, self._ref, self._call = services, held, ref, call
        self._reminder: Timer | None = None
        self._progress: CallProgress | None = None
        self._is_told = False
        self.began_at = call.began_at
        self.heard_at: float | None = None
        """When the code last gave a sign of life, on the monotonic clock."""

    def began(self) -> float | None:
        services, ref, heard_at = self._services, self._ref, self._services.runtime.clock.monotonic()
        if heard_at >= self._held.deadline:
            # This process was frozen, or the store is unavailable: another owner may be active. The next scan tells.
            phase = self._call.phase
            services.runtime.call_later(_ASK_AGAIN_S, lambda: post(ref, phase))
            return None
        now, self.heard_at = services.now(), heard_at
        if self.began_at is None:
            self.began_at = now
        if self._call.timeout_s is not None or self._call.heartbeat_timeout_s is not None:
            post(ref, CodeBegan())
        self._reminder = services.runtime.call_later(services.settings.announce_s, lambda: post(ref, StillRunning()))
        return now

    def progressed(self, progress: CallProgress) -> None:
        self.heard_at = self._services.runtime.clock.monotonic()
        if not (progress.artifacts or progress.timeline):
            return
        with _progress_lock:
            self._progress = progress if self._progress is None else self._progress.then(progress)
            is_told, self._is_told = self._is_told, True
        if not is_told:
            post(self._ref, MadeProgress())

    def take_progress(self) -> CallProgress | None:
        """The progress since the last call; if there is none, the actor is notified of the next."""
        with _progress_lock:
            progress, self._progress = self._progress, None
            self._is_told = progress is not None
        return progress

    def returned(self, returned: object) -> None:
        """Hand it over, if possible without waking another thread."""
        if self._reminder is not None:
            self._reminder.cancel()
        if not isinstance(returned, StepReturn):  # an executor is a plugin: its mistake must not leave the step waiting
            problem = f"its executor returned {type(returned).__name__}, not a StepReturn"
            returned = StepReturn.lost(self._call, problem)
        with self._services.runtime.caller_runs():
            post(self._ref, returned)
