"""How much user code a decision may start: slots of three kinds, counted for each executor (PROTOCOL 24).

An attempt holds one slot of its executor from the decision to start it until its first call has returned. A step that
gets no slot stays ready, unrecorded, so a crash leaves at most ``Slots.starts`` suspects behind.
"""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

from maestro_flow.core.steps import StepState

__all__ = ["SLOT_KINDS", "SlotKind", "Slots", "kind_of_interrupted"]


class SlotKind(IntEnum):
    """Kinds of slots. A suspect may crash the process; one that probably did runs alone of its kind."""

    START = 0
    SUSPECT = 1
    CRASHED = 2


SLOT_KINDS = tuple(SlotKind)
"""For loops over them: to list the members of an enum takes longer than to take a slot of each."""


class Slots(Struct, frozen=True):
    """The free slots of one executor."""

    starts: int = 1000
    suspects: int = 4
    crashed: int = 1


def kind_of_interrupted(step: StepState) -> SlotKind:
    """The kind of slot in which an interrupted attempt is run again."""
    if step.crashes:
        return SlotKind.CRASHED
    return SlotKind.START if step.handed_over else SlotKind.SUSPECT
