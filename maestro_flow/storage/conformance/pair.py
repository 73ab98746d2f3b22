"""The store under test and the memory store as its model: both get the same calls and must return the same.

Where the protocol leaves a choice to the store, the two are reconciled here, and nowhere else:

- A claim takes any groups that are free. The model is made to take the same ones; their number, that they were free,
  and their generations are compared.
- The sequence of a message may be any number. What is compared is its order, that it never changes, increases within a
  group, and is never issued again.
- The text of an error is for people. Its type is compared.

Nothing else is exempt: times are equal, because they come only from the clock of the test.
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
    """The memory store, except that a claim takes the groups it is told to, if they are free."""

    def __init__(self, clock: Clock, groups: int) -> None:
        super().__init__(clock, groups)
        self._preferred: frozenset[int] = frozenset()

    def prefer(self, groups: frozenset[int]) -> None:
        self._preferred = groups

    def _claimable(self, owner: Owner) -> list[int]:
        return sorted(super()._claimable(owner), key=lambda group_id: group_id not in self._preferred)


@define
class Pair:
    """A store through its handles, and the model. ``agree`` turns false with the first answer that differs."""

    model: Model
    handles: list[Storage]
    agree: bool = True
    sequences: dict[tuple[int, str], int] = Factory(dict)
    """Sequences of the store's messages, by group and message id."""
    highest: dict[int, int] = Factory(dict)
    """The last sequence issued, by group."""

    def ask(self, through: int, verb: Verb) -> Any:
        """The model's answer (the value, or the class of the error), once the store has given the same."""
        return self._compare(answer_of(self.handles[through], verb), answer_of(self.model, verb))

    def claim(self, through: int, owner: Owner, *, lease_s: float, limit: int) -> list[Lease]:
        """A claim in which the model follows the store."""
        claimed = self.handles[through].claim(owner, lease_s=lease_s, limit=limit)
        self.model.prefer(frozenset(lease.group_id for lease in claimed))
        expected = self.model.claim(owner, lease_s=lease_s, limit=limit)
        leases: list[Lease] = self._compare(_by_group(claimed), _by_group(expected))
        return leases

    def check_sequence(self, through: int, group_id: int, message_id: str) -> None:
        """Check the sequence of a message that has just been sent, or may have been purged."""
        there, place = self.handles[through].message(group_id, message_id), (group_id, message_id)
        if there is None:
            self.sequences.pop(place, None)
        elif place in self.sequences:
            assert there.sequence == self.sequences[place], "the sequence of a message has changed"
        else:
            assert there.sequence > self.highest.get(group_id, 0), "a receiver that is past it would miss it"
            self.sequences[place] = self.highest[group_id] = there.sequence

    def _compare(self, actual: Any, expected: Any) -> Any:
        note(f"    {expected}")
        self.agree = False
        assert comparable(actual) == comparable(expected), "the store's answer differs from the model's"
        self.agree = True
        return expected


def answer_of(storage: Storage, verb: Verb) -> Any:
    """What a verb returns, or the class of the error that it raises.

    A store may be unavailable at any time, if only because the machine was busy for longer than a timeout. Then the
    call is repeated, as every user of a store does (PROTOCOL 6).
    """
    for _ in range(_TRIES):
        try:
            return verb(storage)
        except StorageUnavailable as error:
            _log.warning("call repeated: %s", error)
        except MaestroFlowError as error:
            return type(error)
    return StorageUnavailable


def comparable(answer: Any) -> Any:
    """An answer with all fields of messages: ``==`` of messages compares only what their sender wrote."""
    match answer:
        case Message():
            return asdict(answer, filter=lambda attribute, _: attribute.name != "sequence")
        case list():
            return [comparable(one) for one in answer]
        case _:
            return answer


def _by_group(leases: Sequence[Lease]) -> list[Lease]:
    return sorted(leases, key=lambda lease: lease.group_id)
