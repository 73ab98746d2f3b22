"""System flows: flows of the engine itself. Each exists once per namespace, is not a run of any user, and never ends.

A system flow is event-sourced like a run, and written, loaded, taken over and verified like one. It consists of a pure
part only: one actor class (``actors.system``) runs all of them. Its state is changed in place: it may be large, belongs
to that actor alone, and is discarded with it when a commit is not written.

Its log must not grow forever, so from time to time a new run of it begins with everything that the previous run knows,
which is then ended. A crash in between leaves both: the later one counts, and the earlier one is ended afterwards.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar

from attrs import define, field, frozen

from maestro_flow.core.evolve import IllegalEvent
from maestro_flow.core.inputs import OutgoingMessage
from maestro_flow.core.message_kinds import RUN_KINDS, MessageKind
from maestro_flow.core.placement import place
from maestro_flow.model.commit import Settlement
from maestro_flow.model.event_codec import EventCodec
from maestro_flow.model.flow_id import FlowId
from maestro_flow.model.log import LogRecord
from maestro_flow.model.runs import RunEntry
from maestro_flow.model.status import RunStatus

__all__ = [
    "AnySystemFlow",
    "SystemDecision",
    "SystemFlow",
    "SystemFlows",
    "SystemReplay",
    "SystemRuns",
    "SystemState",
]

StateT = TypeVar("StateT", bound="SystemState")
EventT = TypeVar("EventT")
InputT = TypeVar("InputT")


@define
class SystemState:
    """Base of the states of system flows: one run; all times are store times."""

    flow_id: str
    revision: int = 0
    """0 before the first commit."""
    at: float = 0.0
    """Time of the last record."""
    began_at: float = 0.0
    """Time of the first record."""
    size: int = 0
    """Number of events written so far."""
    is_over: bool = False
    """The next run has taken over everything."""

    def recorded(self, events: int, at: float) -> None:
        """Count a record of ``events`` events, already applied to the state, that was or will be written."""
        if not self.revision:
            self.began_at = at
        self.revision, self.at, self.size = self.revision + 1, at, self.size + events

    def entry(self, group_id: int) -> RunEntry:
        """Its index entry, so that a takeover finds it; not shown to users."""
        flow_id = FlowId.parse(self.flow_id)
        return RunEntry(
            flow_id=self.flow_id,
            workflow_id=flow_id.workflow_id,
            version=1,
            instance_id=flow_id.instance_id,
            run_id=flow_id.run_id,
            group_id=group_id,
            status=RunStatus.SUCCEEDED if self.is_over else RunStatus.IN_PROGRESS,
            created_at=self.began_at,
            started_at=self.began_at,
            ended_at=self.at if self.is_over else None,
        )


@frozen
class SystemDecision(Generic[EventT, InputT]):
    """Events to write, messages to send and to settle in the same commit, and the inputs left to decide.

    ``is_full``: there is more to decide even without new inputs.
    """

    at: float
    events: tuple[EventT, ...] = ()
    sends: tuple[OutgoingMessage, ...] = ()
    settles: tuple[Settlement, ...] = ()
    rest: tuple[InputT, ...] = ()
    is_full: bool = False


class SystemReplay(Protocol):
    """One run of a system flow, as followed by the checker's own rules."""

    is_over: bool

    def take(self, event: Any, at: float) -> None:
        """Follow an event recorded at time ``at``; raises ``verify.history.Violated`` if it breaks a promise."""


class SystemFlow(ABC, Generic[StateT, EventT, InputT]):
    """See the module. ``name`` is its workflow id and the address of its messages; it begins with ``maestro_``."""

    name: ClassVar[str]
    kinds: Mapping[str, MessageKind[Any, InputT]]
    """Messages that it accepts."""
    codec: EventCodec[EventT]

    @abstractmethod
    def new(self, flow_id: str) -> StateT:
        """The state of a run without records."""

    @abstractmethod
    def evolve(self, state: StateT, event: EventT, at: float) -> None:
        """Apply an event recorded at time ``at`` to the state. Raises IllegalEvent: it does not fit."""

    @abstractmethod
    def decide(self, state: StateT, inputs: Sequence[InputT], now: float, events_max: int) -> SystemDecision[Any, Any]:
        """Decide on the inputs at store time ``now``, and change the state.

        Stops after about ``events_max`` events and returns the rest (PROTOCOL 9). Also called without inputs, after the
        flow was loaded.
        """

    @abstractmethod
    def replay(self, flow_id: str, before: SystemReplay | None) -> SystemReplay:
        """For the checker: a run without records; ``before`` is the previous run, if the log has it."""

    def promised(self, events: Sequence[EventT]) -> Iterator[str]:  # noqa: ARG002 - most send nothing
        """For the checker: ids of the messages that were sent with these events of one commit."""
        yield from ()

    def carried_over(self, state: StateT, at: float) -> EventT | None:  # noqa: ARG002 - most stay short
        """If it is time for the next run: its first event, which carries over everything this state knows."""
        return None

    def carried_on(self, flow_id: str) -> EventT:
        """The last event of a run that this one follows."""
        raise NotImplementedError(f"{self.name} never has a second run")

    def group_id(self, group_count: int) -> int:
        """Its group, which never changes."""
        return place(self.name, range(group_count))

    def fold(self, flow_id: str, records: Iterable[LogRecord]) -> StateT:
        """The state that a whole log leads to.

        Raises:
            UnknownEvent: a record is of a newer version.
            IllegalEvent: the log contradicts itself.
        """
        state = self.new(flow_id)
        for record in records:
            if record.revision != state.revision + 1:
                raise IllegalEvent(f"{flow_id}: revision {record.revision} follows {state.revision}")
            events = self.codec.decode(record.events, record.schema_version)
            for event in events:
                self.evolve(state, event, record.at)
            state.recorded(len(events), record.at)
        return state

    def run_id(self, number: int) -> str:
        """Flow id of one of its runs, numbered from 1."""
        return str(FlowId(self.name, 1, number))


AnySystemFlow: TypeAlias = SystemFlow[Any, Any, Any]


@frozen
class SystemRuns:
    """The live runs of a system flow in the store: the latest counts, ``earlier`` ones are to be ended."""

    flow: AnySystemFlow
    state: SystemState
    earlier: tuple[SystemState, ...] = ()


@frozen
class SystemFlows:
    """The system flows by name, in a store of ``group_count`` groups."""

    flows: Mapping[str, AnySystemFlow] = field(factory=dict)
    group_count: int = 1

    def __contains__(self, flow_id: str) -> bool:
        """Whether this is the address of a system flow."""
        return flow_id in self.flows

    def kinds_of(self, flow_id: str) -> Mapping[str, MessageKind[Any, Any]]:
        """The kinds of messages that the flow accepts."""
        flow = self.flows.get(flow_id)
        return RUN_KINDS if flow is None else flow.kinds

    def destination_of(self, message: OutgoingMessage) -> int:
        """The group of the receiver: a system flow's own, otherwise the group that the message names.

        Raises:
            LookupError: it is for a run and does not name a group.
        """
        flow = self.flows.get(message.flow_id)
        if flow is not None:
            return flow.group_id(self.group_count)
        if message.group_id is None:
            raise LookupError(f"message {message.message_id} to run {message.flow_id} does not name a group")
        return message.group_id
