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
    """The flow to load has no commit yet and is a pending run; or it does not exist."""

    flow_id: str
    exists: bool


@frozen
class Forwarded:
    """A message to another group has arrived there and can be settled here with this outcome."""

    message_id: str
    outcome: str


@frozen
class TakeUp:
    """A run was started in this group: write its first commit (PROTOCOL 18 b, c). ``state`` is still empty."""

    state: FlowState
    start: Start


@frozen
class GroupLoaded:
    """All live flows are loaded and all pending runs taken up: queued runs may be launched (PROTOCOL 10)."""


@frozen
class Answered:
    """The store's answer to a question of a workflow's queue: all runs that were pending have been taken up."""

    workflow_id: str
    blocking: frozenset[str] | None
    """Flow ids of the failed runs that block, if the question asked for them."""


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
    """The run has ended, durably: the flow no longer needs an actor. It may block later runs of its workflow."""

    flow_id: str
    is_blocking: bool


@frozen
class FlowLost:
    """The flow's actor gave up: a commit was not written, or it has a defect. The flow is reloaded (PROTOCOL 4)."""

    flow_id: str
    reason: str
    traceback: str = ""
    """That of the defect, if there was one."""
    is_active: bool = False
    """It could not be read, and the store has it as IN_PROGRESS."""


@frozen
class FlowHandedOver:
    """What the flow had running is recorded as handed over; its actor has ended."""

    flow_id: str


@frozen
class LookAgain:
    """Step code was added to this node: steps that waited for it may start."""


@frozen
class Drain:
    """This node gives up the group gradually: what runs may finish; after ``patience_s`` the rest is handed over.

    ``done`` is called when every flow is handed over.
    """

    patience_s: float
    done: Callable[[], None] = field(repr=False)


@frozen
class HandOverAll:
    """This node gives up the group: ``done`` is called when every flow is handed over."""

    done: Callable[[], None] = field(repr=False)


@frozen
class Disband:
    """The group is no longer held here: release everything below. Passed down the tree."""


# -- to a flow --------------------------------------------------------------------------------------------------


@frozen
class Committed:
    """The outcome of the flow's commit in flight, or of a write of the group; ``sends`` were part of it."""

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
    """The code of a call has begun; only sent if a timeout counts from it."""


@frozen
class MadeProgress:
    """The code has reported progress; with ``is_due``, progress since the last commit may be written now."""

    is_due: bool = False


@frozen
class Silent:
    """The code may have been silent for longer than its type allows."""


@frozen
class StillRunning:
    """The attempt has been running for a second."""


@frozen
class Continue:
    """The reported progress is durable: continue."""


@frozen
class Terminate:
    """End the attempt early, with this verdict."""

    verdict: Verdict


@frozen
class TimeIsUp:
    """A time limit of the attempt is reached: its timeout, or the grace period of its termination."""
