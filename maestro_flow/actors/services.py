"""What the actors of a node share. The node provides it; actors know the node only through this interface."""

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
from maestro_flow.core.system_flow import SystemFlows
from maestro_flow.core.workflow_queue import Question
from maestro_flow.model.commit import Settlement
from maestro_flow.model.inbox import Message
from maestro_flow.model.leases import Lease
from maestro_flow.model.runs import RunEntry
from maestro_flow.steps.registry import StepTypes

__all__ = ["Acknowledged", "Held", "Journal", "Services", "Write"]


@frozen
class Write:
    """A commit that waits in the journal, which assigns its position; ``reply_to`` is told ``Committed``."""

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
    """All to the group's own inbox (PROTOCOL 2); once they are written, ``Services.bring`` gets them handled."""


class Journal(Protocol):
    """The one way to write (law 2)."""

    def submit(self, write: Write) -> None: ...


class Acknowledged(Protocol):
    """Starts whose run has its first commit: they are acknowledged in the catalog, and a stale scan is ignored."""

    def add(self, flow_id: str) -> None: ...

    def __contains__(self, flow_id: str) -> bool: ...


@define(eq=False)
class Held:
    """A group that this node holds, until ``lost`` is set: then its actors ignore messages and its writes are refused.

    ``deadline`` is monotonic: the time before the last renewal was sent, plus the lease (PROTOCOL 13).
    """

    lease: Lease
    deadline: float
    lost: bool = False
    needs: set[str] = Factory(set)
    """Names of the step code that its flows need (``StepTypes.needs``)."""
    unsupported: set[str] = Factory(set)
    """Names of code that steps have waited for because this node does not have it (PROTOCOL 22)."""


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
    """A commit of this flow is durable, and whether it is the last one: wakes those who wait for it."""
    acknowledged: Acknowledged
    load_again: Callable[[Held, str], None]
    """Read one flow from the store and tell its group."""
    receive_again: Callable[[Held], None]
    """Let the next scan bring again what the group has received and not settled."""
    bring: Callable[[Message], None]
    """A message was just written: get it handled if its group is held here. A scan would find it later."""
    held: Callable[[int], Held | None]
    """The group, if it is held and loaded here."""
    forward: Callable[[Held, ActorRef[Any], Message], None]
    """Forward a message in transit from the inbox of a held group, and tell that group's actor."""
    system_flows: SystemFlows
    answer: Callable[[Held, Question], None]
    """Answer a question of one of the group's queues from the store."""
    unblock: Callable[[Held, str, str], None]
    """For a restart (the first flow id), unblock the run that it follows (the second)."""
    _step_support: WeakKeyDictionary[Graph, tuple[int, StepSupport]] = Factory(WeakKeyDictionary)

    def step_support(self, graph: Graph) -> StepSupport:
        """Which steps of a graph this node can run now; cached per graph until step code is added."""
        version, known = self._step_support.get(graph, (-1, None))
        if known is None or version != self.step_types.version:
            version = self.step_types.version
            known = support_of(graph, self.step_types, self.executors)
            self._step_support[graph] = (version, known)
        return known
