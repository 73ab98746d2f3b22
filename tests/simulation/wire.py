"""The connection of one process to the store: calls take time, fail before or after their effect, or never return."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from maestro_flow.errors import MaestroFlowError, StorageUnavailable
from maestro_flow.storage.protocol import Storage

if TYPE_CHECKING:
    from tests.simulation.process import Process

__all__ = ["VERBS", "Wire"]

WRITES = frozenset(
    {
        "claim",
        "renew",
        "release",
        "leave",
        "commit",
        "send",
        "push",
        "start",
        "acknowledge_starts",
        "receive",
        "purge_messages",
    }
    | {"redrive", "prune", "open_cursor", "move_cursor", "drop_cursor"}
)
READS = frozenset(
    {"holder", "last_position", "load_flows", "read_flow", "read_log", "message", "definition", "pending_starts", "run"}
    | {"list_runs", "dead_letters", "pruned_through", "cursors"}
)
PAGES = frozenset({"load_flows", "pending_starts", "receive"})
"""Their pages may have fewer entries than were asked for."""
VERBS = WRITES | READS


def groups_of(verb: str, args: tuple[Any, ...]) -> list[int]:
    """Groups that others have a hint of, when this call has had its effect."""
    if verb == "send":
        return [args[0].group_id]
    if verb in ("start", "release"):
        return sorted({item.group_id for item in args[0]})
    return []


class Wire:
    """A ``Storage`` that forwards calls. The process dies, freezes or is cut off as its fates decide."""

    def __init__(self, process: Process, storage: Storage) -> None:
        self._process, self._storage = process, storage

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._storage, name)
        if name not in VERBS:
            return verb

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._call(name, lambda: verb(*args, **kwargs), groups_of(name, args))

        self.__dict__[name] = call
        return call

    def listen(self, wake: Callable[[int], None]) -> Callable[[], None]:
        """Hints come from the world: late, twice, or not at all."""
        self._process.wake = wake
        return lambda: setattr(self._process, "wake", None)

    def _call(self, name: str, verb: Callable[[], Any], groups: list[int]) -> Any:
        process = self._process
        fate = process.world.faults.fate(name)
        process.world.time.note(f"{process.name} {name} {fate}")
        process.world.counts.update(fate.names)
        self._pass(fate.before_s)
        if fate.crash_before:
            process.crash(f"in {name}, before its effect")
        if fate.late_s is not None and name in WRITES:
            process.world.later(fate.late_s, lambda: self._land(name, verb))
            raise StorageUnavailable(f"the connection died during {name}")
        if fate.error_before:
            raise StorageUnavailable(f"no connection for {name}")
        answer = self._effect(name, verb)
        process.world.hint(groups)
        if fate.crash_after:
            process.crash(f"in {name}, after its effect")
        self._pass(fate.after_s)
        if fate.error_after:
            raise StorageUnavailable(f"the answer to {name} is lost")
        if fate.short and name in PAGES and len(answer) > 1:
            answer = answer[: 1 + process.world.time.chance.randrange(len(answer))]
        return answer

    def _effect(self, name: str, verb: Callable[[], Any]) -> Any:
        try:
            answer = verb()
        except MaestroFlowError as error:
            self._process.world.time.note(f"{self._process.name} {name} -> {type(error).__name__}: {error}")
            raise
        if name == "claim":
            self._process.world.note_claims(answer)
        elif name == "commit":
            self._process.world.counts.update(f"commit: {outcome}" for outcome in answer)
        return answer

    def _land(self, name: str, verb: Callable[[], Any]) -> None:
        """The statement was under way when its connection broke, and takes effect now."""
        self._process.world.time.note(f"{self._process.name} {name} lands late")
        with suppress(MaestroFlowError):  # there is no caller to tell
            self._effect(name, verb)

    def _pass(self, seconds: float) -> None:
        """The call takes time; the caller is a thread of the process."""
        runtime, world = self._process.runtime, self._process.world
        if seconds <= 0 or (seconds > 1 and not world.faults.are_on):
            return
        resume = runtime.resumption()
        runtime.call_later(seconds, resume)
        if seconds > 1:
            world.slow_calls.append(resume)
        runtime.suspend()
