"""The verdict on a commit: PROTOCOL 3 to 7 and 16 as one pure function over what the store holds.

A backend that judges in Python (memory, SQLite) reads the facts inside its transaction, calls this, and writes what is
DONE. A backend that judges inside its server (one SQL statement, one Lua script) implements the same rules in its own
language; the conformance suite checks that they agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from maestro_flow.errors import Conflict, NotFound, OwnershipLost, StorageError
from maestro_flow.model.commit import Commit, FlowWrite, Outcome, Settlement
from maestro_flow.model.inbox import Message, MessageState
from maestro_flow.model.leases import Lease

__all__ = [
    "Facts",
    "check_group",
    "check_groups",
    "check_same_message",
    "contradicts_itself",
    "judge_batch",
    "may_be_redriven",
    "no_longer_held",
    "state_after",
]


class Facts(Protocol):
    """What the store has at the moment of judgement, including the commits of the batch that were judged before."""

    @property
    def group_count(self) -> int:
        """Number of groups of the store."""
        ...

    def is_current(self, lease: Lease) -> bool:
        """Whether the store has this (group, generation, owner); independent of time."""
        ...

    def written(self, flow_id: str, revision: int) -> tuple[str, int] | None:
        """(commit_id, group_id) of a revision of a flow."""
        ...

    def last_position(self, group_id: int) -> int:
        """Highest position of the group, 0 if none."""
        ...

    def message(self, group_id: int, message_id: str) -> Message | None:
        """A message or its tombstone."""
        ...


def judge_batch(batch: Sequence[Commit], facts: Facts, write: Callable[[Commit], None]) -> list[Outcome]:
    """The outcome of each commit, in order. ``write`` is called with each that is DONE, before the next is judged.

    Raises:
        StorageError: a commit would be done, but its position is not beyond the last one of its group (PROTOCOL 7).
    """
    outcomes = []
    refused: set[str] = set()
    for commit in batch:
        flow_id = None if commit.flow is None else commit.flow.flow_id
        outcome = _judge(commit, facts, is_built_on_refused=flow_id in refused)
        if outcome is Outcome.DONE:
            write(commit)
        if flow_id is not None and not outcome.is_durable:
            refused.add(flow_id)
        outcomes.append(outcome)
    return outcomes


def _judge(commit: Commit, facts: Facts, *, is_built_on_refused: bool) -> Outcome:
    """The verdict on one commit; what was decided on top of a refused one is refused too (PROTOCOL 4)."""
    if contradicts_itself(commit, facts.group_count):
        return Outcome.INVALID
    if _is_applied(commit, facts):
        return Outcome.ALREADY_APPLIED  # before the fence: an answer that got lost stays true (PROTOCOL 6)
    if not facts.is_current(commit.lease):
        return Outcome.OWNERSHIP_LOST
    verdicts = [_judge_settlement(commit.lease.group_id, settlement, facts) for settlement in commit.settles]
    verdicts += [_judge_send(message, facts) for message in commit.sends]
    if commit.flow is not None:
        verdicts.append(_judge_flow(commit.lease.group_id, commit.flow, facts))
    if is_built_on_refused:
        verdicts.append(Outcome.CONFLICT)
    for refusal in (Outcome.INVALID, Outcome.CONFLICT):
        if refusal in verdicts:
            return refusal
    if commit.flow is not None:
        _check_position(commit.lease.group_id, commit.flow, facts)
    return Outcome.DONE


def state_after(settlement: Settlement) -> MessageState:
    """The state of a message after its settlement."""
    return MessageState.DEAD if settlement.dead else MessageState.SETTLED


def check_group(group_id: int, group_count: int) -> None:
    """Raises StorageError: the store has no such group; what is put there would never be found."""
    if not 0 <= group_id < group_count:
        raise StorageError(f"there is no group {group_id}: this store has the groups 0 to {group_count - 1}")


def check_groups(message: Message, group_count: int) -> None:
    """Raises StorageError: the store does not have the message's group, or its destination."""
    check_group(message.group_id, group_count)
    check_group(message.destination, group_count)


def no_longer_held(lease: Lease) -> OwnershipLost:
    """The error of a verb that only the owner may call."""
    return OwnershipLost(
        f"group {lease.group_id} is no longer held by owner {lease.owner_id} in generation {lease.generation}"
    )


def check_same_message(there: Message, message: Message) -> None:
    """Raises Conflict: the id belongs to another message; ``==`` compares what the sender wrote (PROTOCOL 16)."""
    if there != message:
        raise Conflict(
            f"message {message.message_id} is in the inbox of group {message.group_id} already, as {there.kind!r} to "
            f"{there.flow_id} in group {there.destination} with a body of {len(there.body)} bytes; an id always stands "
            "for the same message"
        )


def may_be_redriven(message: Message | None, group_id: int, message_id: str) -> Message:
    """The message that is to wait again: a dead letter, or one that waits.

    Raises:
        NotFound: there is none.
        Conflict: it has its outcome.
    """
    if message is None:
        raise NotFound(f"group {group_id} has no message {message_id!r}")
    if message.state is MessageState.SETTLED:
        raise Conflict(f"message {message_id!r} of {message.flow_id} is not a dead letter: it was settled")
    return message


def contradicts_itself(commit: Commit, group_count: int) -> bool:
    """Whether it is INVALID in any store of ``group_count`` groups."""
    group_id, flow = commit.lease.group_id, commit.flow
    if flow is not None:
        if flow.revision < 1:
            return True
        if flow.entry is None and flow.revision == 1:
            return True  # the flow would never be found again: load_flows goes by the entries
        if flow.entry is not None and (flow.entry.flow_id, flow.entry.group_id) != (flow.flow_id, group_id):
            return True
    if any(message.group_id != group_id or not 0 <= message.destination < group_count for message in commit.sends):
        return True
    outcomes = {settlement.message_id: settlement for settlement in commit.settles}
    bodies = {message.message_id: message for message in commit.sends}
    return any(outcomes[settlement.message_id] != settlement for settlement in commit.settles) or any(
        bodies[message.message_id] != message for message in commit.sends
    )


def _is_applied(commit: Commit, facts: Facts) -> bool:
    """This commit is already in the store: by its id, or, without a flow, by all its effects (PROTOCOL 5)."""
    if commit.flow is not None:
        there = facts.written(commit.flow.flow_id, commit.flow.revision)
        return there is not None and there[0] == commit.flow.commit_id
    if not commit.settles and not commit.sends:
        return False
    group_id = commit.lease.group_id
    return all(_has_outcome(facts.message(group_id, s.message_id), s) for s in commit.settles) and all(
        facts.message(group_id, message.message_id) == message for message in commit.sends
    )


def _judge_flow(group_id: int, flow: FlowWrite, facts: Facts) -> Outcome:
    """(flow, revision) is unique, and revision - 1 must exist, in this group (PROTOCOL 4)."""
    if facts.written(flow.flow_id, flow.revision) is not None:
        return Outcome.CONFLICT
    if flow.revision == 1:
        return Outcome.DONE
    before = facts.written(flow.flow_id, flow.revision - 1)
    if before is None:
        return Outcome.CONFLICT
    return Outcome.DONE if before[1] == group_id else Outcome.INVALID


def _judge_settlement(group_id: int, settlement: Settlement, facts: Facts) -> Outcome:
    """The outcome of a message is final (PROTOCOL 16)."""
    message = facts.message(group_id, settlement.message_id)
    if message is None:
        return Outcome.INVALID
    if message.state is MessageState.WAITING or _has_outcome(message, settlement):
        return Outcome.DONE
    return Outcome.CONFLICT


def _judge_send(message: Message, facts: Facts) -> Outcome:
    """The same id with another body is a conflict (PROTOCOL 16); ``==`` compares what the sender wrote."""
    there = facts.message(message.group_id, message.message_id)
    return Outcome.DONE if there is None or there == message else Outcome.CONFLICT


def _has_outcome(message: Message | None, settlement: Settlement) -> bool:
    return message is not None and (message.state, message.outcome) == (state_after(settlement), settlement.outcome)


def _check_position(group_id: int, flow: FlowWrite, facts: Facts) -> None:
    """A position at or below the last one would be missed by every reader that is past it (PROTOCOL 7)."""
    last = facts.last_position(group_id)
    if flow.position <= last:
        raise StorageError(
            f"position {flow.position} of group {group_id} has already been assigned (the last one is {last}); "
            f"{flow.flow_id} at revision {flow.revision} was not written"
        )
