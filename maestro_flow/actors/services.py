"""What the actors of a node share. It is made by the engine; the actors know it only by this page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from attrs import Factory, define, field, frozen
from pykka import ActorRef

from maestro_flow.actors.executors import Executors
from maestro_flow.actors.runtime import Runtime
from maestro_flow.actors.step_support import StepSupport, support_of
from maestro_flow.config.settings import Settings
from maestro_flow.core.graph import Graph
from maestro_flow.core.queue import Question
from maestro_flow.core.system_flow import SystemFlows
from maestro_flow.model.commit import Settlement
from maestro_flow.model.inbox import Message
from maestro_flow.model.leases import Lease
from maestro_flow.model.runs import RunEntry
from maestro_flow.steps.registry import StepTypes

__all__ = ["Acknowledged", "Held", "Journal", "Services", "Write"]


@frozen
class Write:
    """A commit that waits in the journal, which gives it a position; ``reply_to`` is told ``Committed``."""

    held: Held
    reply_to: ActorRef[Any] = field(repr=False)
    flow_id: str = ""
    revision: int = 0
    commit_id: str = ""
    at: float = 0.0
    events: bytes = b""
    entry: RunEntry | None = None
    settles: tuple[Settlement, ...] = ()
    sends: tuple[Message, ...] = ()
    """All to the group's own inbox (PROTOCOL 2); ``Services.bring`` has them dealt with as soon as they are written."""


class Journal(Protocol):
    """The one way to write (law 2)."""

    def submit(self, write: Write) -> None: ...


class Acknowledged(Protocol):
    """Starts whose run has its first commit: the catalog is told of them, and a late scan is ignored."""

    def add(self, flow_id: str) -> None: ...

    def __contains__(self, flow_id: str) -> bool: ...


@define(eq=False)
class Held:
    """A group that this node holds, until ``lost`` is set: from then on its actors are deaf and its writes refused.

    ``deadline`` is monotonic: the time before the last renewal was sent, plus the lease (PROTOCOL 13).
    """

    lease: Lease
    deadline: float
    lost: bool = False
    needs: set[str] = Factory(set)
    """Names of the step code of the flows that it has had (``StepTypes.needs``)."""
    lacks: set[str] = Factory(set)
    """Those of steps that have waited for code which this node does not have (PROTOCOL 22)."""


@define
class Services:
    """See the module."""

    runtime: Runtime
    journal: Journal
    executors: Executors
    step_types: StepTypes
    settings: Settings
    now: Callable[[], float]
    """The store's clock, estimated (PROTOCOL 15)."""
    new_id: Callable[[], str]
    announce: Callable[[str, bool], None]
    """A commit of this flow is durable, the last one or not: whoever waits for it may look."""
    acknowledged: Acknowledged
    load_again: Callable[[Held, str], None]
    """Read one flow from the store and tell its group."""
    receive_again: Callable[[Held], None]
    """The next scan brings again what the group has received and not settled."""
    bring: Callable[[Message], None]
    """A message was just written: have it handled, if its group is held here. A scan would find it, but later."""
    held: Callable[[int], Held | None]
    """The group, if it is held and loaded here."""
    forward: Callable[[Held, ActorRef[Any], Message], None]
    """Send a message in transit from the inbox of a held group on to its destination, and tell that group's actor."""
    system_flows: SystemFlows
    """Flows of the engine itself."""
    answer: Callable[[Held, Question], None]
    """Ask the store what a queue of the group must know, and tell the group."""
    unblock: Callable[[Held, str, str], None]
    """For the sake of a restart (a flow's id), unblock the run that it follows (the second one)."""
    _step_support: WeakKeyDictionary[Graph, tuple[int, StepSupport]] = Factory(WeakKeyDictionary)

    def step_support(self, graph: Graph) -> StepSupport:
        """What this node can do of a graph, as of now; kept per graph until step code is added."""
        version, known = self._step_support.get(graph, (-1, None))
        if known is None or version != self.step_types.version:
            version = self.step_types.version
            known = support_of(graph, self.step_types, self.executors)
            self._step_support[graph] = (version, known)
        return known
