"""The store under test and the memory store as its model: both are asked the same, and have to say the same.

Where the protocol leaves a store free, the two are brought together here, and nowhere else:

- A claim takes any groups that are free. The model is made to take the same ones; how many they are, that they were
  free, and their generations are compared.
- The sequence of a message may be any number. Its order is compared, and that it stays what it is, grows within a
  group, and is never given out again.
- The text of an error is for people. Its type is compared.

Nothing else is left out: times are equal, because they pass by the clock of the test alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from attrs import Factory, asdict, define
from hypothesis import note

from maestro_flow.clock import Clock
from maestro_flow.errors import MaestroFlowError, StorageUnavailable
from maestro_flow.model.inbox import Message
from maestro_flow.model.leases import Lease, Owner
from maestro_flow.storage.memory import MemoryStorage
from maestro_flow.storage.protocol import Storage

__all__ = ["Model", "Pair", "Verb", "answer_of", "comparable"]

Verb: TypeAlias = Callable[[Storage], Any]
"""A verb with its arguments, to be called on any store."""

_TRIES = 3
_log = logging.getLogger(__name__)


class Model(MemoryStorage):
    """The memory store, but that a claim takes the groups that it is told, if they are free."""

    def __init__(self, clock: Clock, groups: int) -> None:
        super().__init__(clock, groups)
        self._preferred: frozenset[int] = frozenset()

    def prefer(self, groups: frozenset[int]) -> None:
        self._preferred = groups

    def _claimable(self, owner: Owner) -> list[int]:
        return sorted(super()._claimable(owner), key=lambda group_id: group_id not in self._preferred)


@define
class Pair:
    """A store through its handles, and the model. ``agree`` is over with the first answer that differs."""

    model: Model
    handles: list[Storage]
    agree: bool = True
    sequences: dict[tuple[int, str], int] = Factory(dict)
    """Of the store's messages, by group and message id."""
    highest: dict[int, int] = Factory(dict)
    """Sequence that was given out last, by group."""

    def ask(self, through: int, verb: Verb) -> Any:
        """The model's answer: the value, or the class of the error, after the store gave the same through a handle."""
        return self._compare(answer_of(self.handles[through], verb), answer_of(self.model, verb))

    def claim(self, through: int, owner: Owner, *, lease_s: float, limit: int) -> list[Lease]:
        """A claim, in which the model follows the store."""
        claimed = self.handles[through].claim(owner, lease_s=lease_s, limit=limit)
        self.model.prefer(frozenset(lease.group_id for lease in claimed))
        expected = self.model.claim(owner, lease_s=lease_s, limit=limit)
        leases: list[Lease] = self._compare(_by_group(claimed), _by_group(expected))
        return leases

    def check_sequence(self, through: int, group_id: int, message_id: str) -> None:
        """Look at a message that has just been sent, or may have been purged."""
        there, place = self.handles[through].message(group_id, message_id), (group_id, message_id)
        if there is None:
            self.sequences.pop(place, None)
        elif place in self.sequences:
            assert there.sequence == self.sequences[place], "the sequence of a message has changed"
        else:
            assert there.sequence > self.highest.get(group_id, 0), "a receiver that is past it would never see it"
            self.sequences[place] = self.highest[group_id] = there.sequence

    def _compare(self, actual: Any, expected: Any) -> Any:
        note(f"    {expected}")
        self.agree = False
        assert comparable(actual) == comparable(expected), "the store answers otherwise than the model"
        self.agree = True
        return expected


def answer_of(storage: Storage, verb: Verb) -> Any:
    """What a verb returns, or the class of the error that it raises.

    A store may be unavailable at any time, for as little as a machine that was busy for longer than a timeout. Then it
    is asked the same again, as everybody does who uses it (PROTOCOL 6).
    """
    for _ in range(_TRIES):
        try:
            return verb(storage)
        except StorageUnavailable as error:
            _log.warning("asked again: %s", error)
        except MaestroFlowError as error:
            return type(error)
    return StorageUnavailable


def comparable(answer: Any) -> Any:
    """An answer with all that a message holds: ``==`` of messages compares only what their sender wrote."""
    match answer:
        case Message():
            return asdict(answer, filter=lambda attribute, _: attribute.name != "sequence")
        case list():
            return [comparable(one) for one in answer]
        case _:
            return answer


def _by_group(leases: Sequence[Lease]) -> list[Lease]:
    return sorted(leases, key=lambda lease: lease.group_id)
