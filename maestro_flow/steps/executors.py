"""The contract of an executor, which runs calls of user code somewhere; found by ``maestro_flow.executors``.

The object of the entry point is called with an ``ExecutorHost`` once per node, and returns an ``Executor``. It must not
block: anything slow is done on the executor's own threads. One call, from the engine to user code and back::

    submit(call, listener) ──> listener.began() ──> the code, of call.begun(now) ──> listener.returned(StepReturn)
                                    └── None: it must not run; forget the call

A call is plain data (``steps.calls``) that ``msgspec.json`` encodes, so the code may run anywhere. The listener stays
in this process. Methods of executors and listeners are called on any thread and return at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any, Protocol

from attrs import field, frozen

from maestro_flow.errors import PluginError
from maestro_flow.steps.calls import StepCall, StepReturn
from maestro_flow.steps.context import CallProgress
from maestro_flow.steps.workers import Workers

__all__ = ["EXECUTORS", "CallHandle", "CallListener", "Executor", "ExecutorHost", "open_executor"]

EXECUTORS = "maestro_flow.executors"
"""Entry-point group; the name is that of the executor, the object creates it from an ``ExecutorHost``."""


class CallListener(Protocol):
    """Receives the reports of one call."""

    def began(self) -> float | None:
        """Call this right before the code begins. Returns the time by the store's clock, for ``StepCall.begun``.

        None means that the code must not run, because this process may have lost its lease: forget the call; it will be
        submitted again if it is still wanted.
        """
        ...

    def progressed(self, progress: CallProgress) -> None:
        """The code reports progress or, with an empty report, that it is alive. May be called at any rate."""
        ...

    def returned(self, returned: StepReturn) -> None:
        """The call has returned. If the process that ran it has died or cannot be reached: ``StepReturn.lost``."""
        ...


class CallHandle(Protocol):
    """A call that was submitted."""

    def cancel(self) -> None:
        """The result is no longer wanted: do not begin; tell the code (``context.is_cancelled``), or kill it."""
        ...


class Executor(Protocol):
    """See the module."""

    @property
    def slots(self) -> int:
        """How many attempts it accepts at once, running and queued: enough not to idle between two commits.

        After a crash, all of them are suspects.
        """
        ...

    def submit(self, call: StepCall, listener: CallListener) -> CallHandle:
        """Run a call as soon as possible, and report to the listener."""
        ...

    def close(self) -> None:
        """Begin no further call. Running calls are cancelled, and not waited for."""
        ...


@frozen
class ExecutorHost:
    """What a node provides to an executor.

    ``perform`` makes a call in this process and never raises; its other arguments implement ``context.is_cancelled``
    and receive ``context.progress``.
    ``workers`` creates a pool of threads in the node's runtime, from a name and a count; in a simulation they are
    simulated.
    ``settings`` are those of ``[executors.NAME]``, with ``threads`` and ``queue_max``, which default to the node's
    ``executor_threads`` and ``executor_queue_max``.
    """

    perform: Callable[[StepCall, Callable[[], bool], Callable[[CallProgress], None]], StepReturn]
    workers: Callable[[str, int], Workers]
    settings: Mapping[str, Any] = field(repr=False)


def open_executor(name: str, host: ExecutorHost) -> Executor:
    """Create the executor of this name.

    Raises:
        PluginError: it is not installed, or cannot be loaded or created.
    """
    found = tuple(entry_points(group=EXECUTORS, name=name))
    if not found:
        raise PluginError(f"no executor {name!r} is installed here")
    try:
        executor: Executor = found[0].load()(host)
        _check_slots(executor)
    except Exception as error:  # a plugin may fail in any way; the message must name it
        raise PluginError(f"executor {name!r} ({found[0].value}) cannot be opened: {error!r}") from error
    return executor


def _check_slots(executor: Executor) -> None:
    slots = executor.slots
    if not isinstance(slots, int) or slots < 1:
        executor.close()
        raise TypeError(f"its slots must be a number from 1, not {slots!r}")
