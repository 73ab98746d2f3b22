"""The facts for the judge, read from the tables once per batch, in every dialect that judges in Python."""

from __future__ import annotations

from attrs import Factory, define, evolve

from maestro_flow.model.commit import Commit
from maestro_flow.model.inbox import Message, MessageState
from maestro_flow.model.leases import Lease
from maestro_flow.storage.judge import state_after

__all__ = ["BatchFacts"]


@define
class BatchFacts:
    """``storage.judge.Facts``: read once for the batch, then updated with the commits written in it."""

    group_count: int
    leases: dict[int, tuple[int, str]] = Factory(dict)
    positions: dict[int, int] = Factory(dict)
    records: dict[tuple[str, int], tuple[str, int]] = Factory(dict)
    messages: dict[tuple[int, str], Message] = Factory(dict)

    def is_current(self, lease: Lease) -> bool:
        return self.leases.get(lease.group_id) == (lease.generation, lease.owner_id)

    def written(self, flow_id: str, revision: int) -> tuple[str, int] | None:
        return self.records.get((flow_id, revision))

    def last_position(self, group_id: int) -> int:
        return self.positions[group_id]

    def message(self, group_id: int, message_id: str) -> Message | None:
        return self.messages.get((group_id, message_id))

    def note(self, commit: Commit) -> None:
        """Count this commit as written, for the commits judged after it."""
        group_id, flow = commit.lease.group_id, commit.flow
        if flow is not None:
            self.records[flow.flow_id, flow.revision] = (flow.commit_id, group_id)
            self.positions[group_id] = flow.position
        for settlement in commit.settles:
            message = self.messages[group_id, settlement.message_id]
            self.messages[group_id, settlement.message_id] = evolve(
                message, state=state_after(settlement), outcome=settlement.outcome
            )
        for message in commit.sends:
            self.messages.setdefault((group_id, message.message_id), evolve(message, state=MessageState.WAITING))
