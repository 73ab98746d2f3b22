"""What the checker reads and what it reports: plain values, shared by simulation, chaos tests and ``verify``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol, TypeAlias

from attrs import frozen

from maestro_flow.core.graph import Graph
from maestro_flow.core.system_flow import AnySystemFlow
from maestro_flow.model.inbox import Message
from maestro_flow.model.log import LogRecord
from maestro_flow.model.runs import RunEntry
from maestro_flow.verify.table import INVARIANTS

__all__ = ["Answer", "Claimed", "Execution", "Found", "History", "Operation", "Source", "Violated", "Violation"]


@frozen
class Violation:
    """A violation of an invariant. ``revision`` and ``position`` are 0, and texts are empty, where they do not
    apply."""

    invariant: str
    """Its name in ``table.INVARIANTS``: I1 to I24, L1 to L7."""
    message: str
    flow_id: str = ""
    step_id: str = ""
    group_id: int = -1
    revision: int = 0
    position: int = 0

    @property
    def meaning(self) -> str:
        """What was promised."""
        return INVARIANTS[self.invariant].meaning

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return INVARIANTS[self.invariant].remedy


Found: TypeAlias = Callable[[Violation], None]
"""Takes each violation as it is found."""


class Violated(Exception):
    """Raised inside the checker: the replay of a flow cannot continue, because its log says something impossible."""

    def __init__(self, invariant: str, message: str, step_id: str = "") -> None:
        super().__init__(message)
        self.invariant, self.message, self.step_id = invariant, message, step_id


class Answer(StrEnum):
    """What a client was told."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """No answer: its connection broke, or it timed out."""


@frozen
class Operation:
    """A request of a client, and the answer it got.

    ``kind`` is ``start`` or an action in lower case (``stop``, ``skip``, ...); ``key`` the request id of a start, or
    the message id of an action; ``flow_id`` the run that the answer named, or the run that the action was for.
    """

    kind: str
    answer: Answer
    key: str
    flow_id: str = ""
    step_id: str = ""
    workflow_id: str = ""
    """Of a start: the request id is unique in the workflow."""


@frozen
class Execution:
    """A call of a step's code, as the code itself saw it, with the parts of its fence token."""

    flow_id: str
    step_id: str
    attempt: int
    execution: int
    generation: int
    owner_id: str = ""


@frozen
class Claimed:
    """A claim of a group, as an observer outside the store saw it: no record of an older generation may follow."""

    group_id: int
    generation: int
    position: int
    """The last position of the group at that moment, 0 if there was none."""


@frozen
class History:
    """All that is known of some groups; only ``records`` and ``graphs`` are needed.

    ``graphs`` are by (workflow id, version) and contain those of the bodies of loops. Empty ``entries``,
    ``operations``, ``executions``, ``messages`` or ``claims`` were not observed. ``messages`` are all that the inboxes
    hold, including tombstones and dead letters.
    """

    records: Sequence[LogRecord]
    graphs: Mapping[tuple[str, int], Graph]
    entries: Sequence[RunEntry] = ()
    operations: Sequence[Operation] = ()
    executions: Sequence[Execution] = ()
    messages: Sequence[Message] = ()
    claims: Sequence[Claimed] = ()
    is_quiet: bool = False
    """The faults are over and time has passed: whatever can end has ended."""
    deliveries_max: int = 5
    system_flows: Mapping[str, AnySystemFlow] = {}
    """Flows of the engine itself, by name."""


class Source(Protocol):
    """Where the checker looks up what the records that it has read do not show."""

    def graph(self, flow_id: str, version: int) -> Graph | None:
        """The graph that a run of a version follows; None if there is no such version, or it has no such loop."""
        ...

    def system_flow(self, name: str) -> AnySystemFlow | None:
        """A flow of the engine itself; None if this version does not know one of this name."""
        ...

    def records(self, flow_id: str) -> Sequence[LogRecord]:
        """All records of a flow by revision, wherever they are; empty if it is unknown."""
        ...

    def entry(self, flow_id: str) -> RunEntry | None:
        """The entry of a run in the index; None if it has none, or if the index was not observed."""
        ...

    @property
    def has_index(self) -> bool:
        """The index was observed: a run without an entry is missing there."""
        ...

    @property
    def has_unique_revisions(self) -> bool:
        """There cannot be two records of one revision, as in every store, where the revision is part of the key."""
        ...
