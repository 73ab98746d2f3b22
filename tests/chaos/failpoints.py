"""Named points at which a process of the crash matrix fails when it first reaches them.

None of them is in the product: they are before and after each verb of its store, distinguished by the content of a
commit, and before and after the user's code. ``after`` a commit is between the commit and its hand-off to the actors.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from maestro_flow.errors import StorageUnavailable
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.events import decode_events
from maestro_flow.storage.protocol import Storage
from tests.chaos.diary import Diary

__all__ = ["FAILPOINTS", "Action", "Failing", "Failpoint"]

_VERBS = (
    *("push", "definition", "start", "claim", "renew", "release", "leave", "listen"),
    *(
        "last_position",
        "load_flows",
        "read_flow",
        "pending_starts",
        "acknowledge_starts",
        "send",
        "receive",
        "message",
        "run",
    ),
)
_COMMITS = (
    *("RunStarted", "StepStarting", "StepInterrupted", "StepRunning", "StepEnded", "RunStopping", "RunEnded"),
    "settlement",
)

FAILPOINTS = tuple(
    f"{place}.{when}"
    for place in (*_VERBS, *(f"commit({name})" for name in _COMMITS), "code")
    for when in ("before", "after")
)
"""All names, in the order of the report."""


class Action(StrEnum):
    """What happens there."""

    CRASH = "crash"
    """The process dies, as by kill -9."""
    RAISE = "raise"
    """The store does not answer; or, in the user's code, an error."""
    FREEZE = "freeze"
    """The process stops itself until it is woken, after its lease has expired."""


class Failpoint:
    """One of the names, armed; or none, with an empty name."""

    def __init__(self, name: str, action: Action, diary: Diary) -> None:
        self._name, self._action, self._diary = name, action, diary
        self._lock = threading.Lock()
        self._is_armed = True

    def pass_by(self, name: str) -> None:
        """Fail if this is the armed point, the first time."""
        with self._lock:
            if name != self._name or not self._is_armed:
                return
            self._is_armed = False
        self._diary.note("hit", name=name)
        match self._action:
            case Action.CRASH:
                os._exit(137)
            case Action.FREEZE:
                os.kill(os.getpid(), signal.SIGSTOP)
            case Action.RAISE if name.startswith("code"):
                raise RuntimeError(name)
            case Action.RAISE:
                raise StorageUnavailable(name)


class Failing:
    """A store with failpoints before and after each verb."""

    def __init__(self, storage: Storage, failpoint: Failpoint) -> None:
        self._storage, self._failpoint = storage, failpoint

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._storage, name)
        return self._guarded(name, found) if name in _VERBS else found

    def commit(self, batch: Sequence[Commit]) -> list[Outcome]:
        held = [name for commit in batch for name in _held_by(commit)]
        for name in held:
            self._failpoint.pass_by(f"commit({name}).before")
        outcomes = self._storage.commit(batch)
        for name in held:
            self._failpoint.pass_by(f"commit({name}).after")
        return outcomes

    def _guarded(self, name: str, verb: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self._failpoint.pass_by(f"{name}.before")
            answer = verb(*arguments, **options)
            self._failpoint.pass_by(f"{name}.after")
            return answer

        return call


def _held_by(commit: Commit) -> list[str]:
    names = ["settlement"] if commit.settles else []
    if commit.flow is not None:
        names += [type(event).__name__ for event in decode_events(commit.flow.events)]
    return names
