"""Dead letters as users see them: messages that could not be handled, listed, and tried again (PROTOCOL 17)."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from maestro_flow.errors import NotFound
from maestro_flow.model.inbox import Message
from maestro_flow.storage.protocol import Storage

__all__ = ["DeadLetter", "redrive", "stored_letters"]

_PAGE = 500


@frozen
class DeadLetter:
    """A message that its run was given again and again, and that failed each time. ``body`` is JSON as it was sent."""

    message_id: str
    group_id: int
    flow_id: str
    """The run that it is for: ``<workflow id>/<instance id>/<run id>``."""
    kind: str
    """The action that it asks for, in small letters: ``stop``, ``skip``, ..."""
    body: str
    sent_at: float
    deliveries: int
    """How many owners of the group have had it in hand."""
    reason: str
    """Why it was given up, with the traceback of the last try where there is one."""


def stored_letters(storage: Storage) -> Iterator[DeadLetter]:
    """All of a store, by group and age."""
    for letter in _letters(storage):
        yield DeadLetter(
            letter.message_id,
            letter.group_id,
            letter.flow_id,
            letter.kind,
            letter.body.decode(errors="replace"),
            letter.sent_at,
            letter.deliveries,
            letter.outcome,
        )


def redrive(storage: Storage, message_id: str) -> None:
    """Let a dead letter be handled once more; mail on its way may be dead in two groups, and is tried in both.

    Raises:
        NotFound: no dead letter has this id.
    """
    found = [letter for letter in _letters(storage) if letter.message_id == message_id]
    if not found:
        raise NotFound(f"there is no dead letter {message_id!r} in the store")
    for letter in found:
        storage.redrive(letter.group_id, message_id)


def _letters(storage: Storage) -> Iterator[Message]:
    after = (-1, 0)
    while page := storage.dead_letters(after=after, limit=_PAGE):
        yield from page
        after = (page[-1].group_id, page[-1].sequence)
