"""Commits and their outcomes (PROTOCOL 1-9).

A transaction is a value, a ``Commit``, which a store applies completely or not at all, so that a Lua script can serve
as well as an SQL transaction.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen

from maestro_flow.model.event_codec import SCHEMA_VERSION
from maestro_flow.model.inbox import Message
from maestro_flow.model.leases import Lease
from maestro_flow.model.runs import RunEntry
from maestro_flow.model.text import storable

__all__ = ["Commit", "FlowWrite", "Outcome", "Settlement"]


@frozen
class FlowWrite:
    """The flow's part of a commit: revision ``revision`` (1 is the first) with its events as a JSON array.

    ``entry`` is the run's new entry in the group's index, when this commit changes it.
    """

    flow_id: str
    revision: int
    commit_id: str
    position: int
    at: float
    events: bytes
    schema_version: int = SCHEMA_VERSION
    entry: RunEntry | None = None


@frozen
class Settlement:
    """The final outcome of a message; ``dead`` puts it among the dead letters.

    Raises:
        ValueNotStorable: not every store can hold the outcome; ``model.text.escaped`` makes it storable.
    """

    message_id: str
    outcome: str = field(validator=storable)
    dead: bool = False


@frozen
class Commit:
    """One atomic, fenced write of an owner (PROTOCOL 2): a flow's next revision, messages settled, messages sent.

    ``sends`` go to the inbox of the lease's own group only, whatever their ``destination``. A commit without a flow
    settles messages that yield no event.
    """

    lease: Lease
    flow: FlowWrite | None = None
    settles: tuple[Settlement, ...] = ()
    sends: tuple[Message, ...] = ()


class Outcome(StrEnum):
    """The result of a commit (PROTOCOL 5). Only DONE and ALREADY_APPLIED mean that it is written."""

    DONE = "done"
    ALREADY_APPLIED = "already applied"
    OWNERSHIP_LOST = "ownership lost"
    CONFLICT = "conflict"
    INVALID = "invalid"

    @property
    def is_durable(self) -> bool:
        return self in (Outcome.DONE, Outcome.ALREADY_APPLIED)
