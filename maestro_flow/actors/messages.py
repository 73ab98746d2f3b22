"""Every message between actors, by receiver. The inputs of a flow (``core.inputs``) are messages to its actor too.

GroupActor   FlowsLoaded  NothingToLoad  TakeUp  GroupLoaded  Answered  Received  Settled  Forwarded  Committed
             FlowEnding  FlowGone  FlowLost  FlowHandedOver  LookAgain  Drain  HandOverAll  Disband
SystemActor  Committed  HandOver  StartNothing  Disband, a Tick to begin with, and the inputs of its flow
FlowActor    Committed  StartNothing  Disband, and the inputs: Start  Launch  Displace  Load  Began  Progressed  Report
             Tick  HandOver  Act  Granted
StepActor    Begin  CodeBegan  MadeProgress  Silent  StillRunning  Continue  Terminate  TimeIsUp  Disband, and a Phase
             to call next, or the StepReturn of a call
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen

from maestro_flow.core.inputs import Start
from maestro_flow.core.state import FlowState
from maestro_flow.core.system_flow import SystemRuns
from maestro_flow.model.commit import Outcome
from maestro_flow.model.inbox import Message
from maestro_flow.model.status import Verdict

__all__ = [
    "Answered",
    "Begin",
    "CodeBegan",
    "Committed",
    "Continue",
    "Disband",
    "Drain",
    "FlowEnding",
    "FlowGone",
    "FlowHandedOver",
    "FlowLost",
    "FlowsLoaded",
    "Forwarded",
    "GroupLoaded",
    "HandOverAll",
    "LookAgain",
    "MadeProgress",
    "NothingToLoad",
    "Received",
    "Settled",
    "Silent",
    "StartNothing",
    "StillRunning",
    "TakeUp",
    "Terminate",
    "TimeIsUp",
]

# -- to a group -------------------------------------------------------------------------------------------------


@frozen
class FlowsLoaded:
    """Live flows of the group as the store has them: a page of a takeover, or one flow that is loaded again.

    ``own`` are the ids of those runs whose last record was written by this process itself.
    """

    runs: tuple[FlowState, ...] = ()
    own: frozenset[str] = frozenset()
    system: tuple[SystemRuns, ...] = ()


@frozen
class NothingToLoad:
    """The flow that was to be loaded has no commit yet, and is found among the pending runs; or it does not exist."""

    flow_id: str
    exists: bool


@frozen
class Forwarded:
    """A message to another group has arrived there; it is to be settled here with this outcome."""

    message_id: str
    outcome: str


@frozen
class TakeUp:
    """A run was started in this group: write its first commit (PROTOCOL 18 b, c). ``state`` is empty as yet."""

    state: FlowState
    start: Start


@frozen
class GroupLoaded:
    """All that was live is loaded, and what was pending is taken up: queued runs may be launched (PROTOCOL 10)."""


@frozen
class Answered:
    """What the queue of a workflow has asked the store for: all runs that were pending have come, and this blocks."""

    workflow_id: str
    blocking: frozenset[str] | None
    """Flow ids of failed runs, if that was asked."""


@frozen
class Received:
    """Messages of the inbox, in order."""

    messages: tuple[Message, ...]


@frozen
class Settled:
    """Messages whose effect is durable."""

    message_ids: tuple[str, ...]


@frozen
class FlowEnding:
    """The run is going to end early, durably."""

    flow_id: str


@frozen
class FlowGone:
    """The run has ended, durably: the flow needs no actor any more. It may block later runs of its workflow."""

    flow_id: str
    is_blocking: bool


@frozen
class FlowLost:
    """The flow's actor gave up: a commit of it was not done, or it has a defect. It is loaded again (PROTOCOL 4)."""

    flow_id: str
    reason: str
    traceback: str = ""
    """Of the defect, if it was one."""
    is_going: bool = False
    """It could not even be read, and the store says that it is IN_PROGRESS."""


@frozen
class FlowHandedOver:
    """What the flow had running is recorded as handed over; its actor does nothing more."""

    flow_id: str


@frozen
class LookAgain:
    """Step code was added to this node: something that waited may be able to start."""


@frozen
class Drain:
    """This node gives the group up without haste: what runs may end, what is left after ``patience_s`` is handed over.

    ``done`` is called when every flow is handed over.
    """

    patience_s: float
    done: Callable[[], None] = field(repr=False)


@frozen
class HandOverAll:
    """This node gives the group up: ``done`` is called when every flow is handed over."""

    done: Callable[[], None] = field(repr=False)


@frozen
class Disband:
    """The group is not ours any more: release everything below. Goes down the tree."""


# -- to a flow --------------------------------------------------------------------------------------------------


@frozen
class Committed:
    """What became of the flow's commit under way, or of what the group has written; ``sends`` were part of it."""

    outcome: Outcome
    sends: tuple[Message, ...] = ()


@frozen
class StartNothing:
    """The group is being drained: hand over as soon as nothing runs."""


# -- to a step --------------------------------------------------------------------------------------------------


@frozen
class Begin:
    """The attempt's start is durable: call its code."""


@frozen
class CodeBegan:
    """The code of a call has begun; sent where a timeout counts from it."""


@frozen
class MadeProgress:
    """The code has something to tell; or, with ``is_due``, what it has told since the last time may be written."""

    is_due: bool = False


@frozen
class Silent:
    """The code may have been silent for as long as its type allows."""


@frozen
class StillRunning:
    """The attempt is under way for a second."""


@frozen
class Continue:
    """The reported progress is durable: continue."""


@frozen
class Terminate:
    """End the attempt early, with this verdict."""

    verdict: Verdict


@frozen
class TimeIsUp:
    """A limit of the attempt is reached: its timeout, or the grace for its termination."""
