"""The order of records and their writers: owners, generations, revisions, positions, times (I1, I2, I5, I13, I24)."""

from __future__ import annotations

from attrs import define

from maestro_flow.model.log import LogRecord
from maestro_flow.verify.history import Found, Violation

__all__ = ["GroupOrder", "LastWrite", "check_against"]


@define
class LastWrite:
    """What the check of a flow's next record needs of its last one."""

    revision: int
    group_id: int
    generation: int
    owner_id: str
    position: int
    at: float

    @classmethod
    def of(cls, record: LogRecord) -> LastWrite:
        return cls(record.revision, record.group_id, record.generation, record.owner_id, record.position, record.at)


class GroupOrder:
    """The records of one group, in the order of their positions."""

    def __init__(self, group_id: int, found: Found) -> None:
        self.group_id, self.found = group_id, found
        self.position = self.generation = 0
        self.owners: dict[int, str] = {}

    def take(self, record: LogRecord) -> None:
        if record.position <= self.position:
            problem = f"its position does not follow {self.position}, the last one of the group"
            self.found(_violation("I1", problem, record))
        if record.generation < self.generation:
            problem = f"generation {record.generation} writes after generation {self.generation} of the group"
            self.found(_violation("I1", problem, record))
        self.position = max(self.position, record.position)
        self.generation = max(self.generation, record.generation)
        owner_id = self.owners.setdefault(record.generation, record.owner_id)
        if owner_id != record.owner_id:
            problem = f"generation {record.generation} belongs to {owner_id}, but {record.owner_id} wrote under it"
            self.found(_violation("I2", problem, record))


def check_against(last: LastWrite, record: LogRecord, found: Found) -> None:
    """Check two records of one flow with consecutive revisions."""
    if record.group_id != last.group_id:
        problem = f"the flow is in group {last.group_id}, and continues in group {record.group_id}"
        found(_violation("I2", problem, record))
    elif record.position <= last.position:
        problem = f"position {record.position} comes before that of the revision before it, {last.position}"
        found(_violation("I1", problem, record))
    if record.at < last.at:
        problem = f"it is {last.at - record.at:.3f} s older than the record before it"
        found(_violation("I24", problem, record))


def _violation(invariant: str, problem: str, record: LogRecord) -> Violation:
    return Violation(
        invariant,
        problem,
        flow_id=record.flow_id,
        group_id=record.group_id,
        revision=record.revision,
        position=record.position,
    )
