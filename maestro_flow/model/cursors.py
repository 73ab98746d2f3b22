"""How far a sink of events has read the log of a group (PROTOCOL 28)."""

from __future__ import annotations

from attrs import field, frozen, validators

from maestro_flow.model.text import storable

__all__ = ["Cursor"]


@frozen
class Cursor:
    """The cursor of one sink in one group, as of the call that returned it.

    ``generation`` and ``owner_id`` are the sink's own fence: opening the cursor again takes it from its previous owner.
    """

    group_id: int
    sink: str = field(validator=validators.and_(storable, validators.min_len(1)))
    position: int
    """The sink has every record of the group up to this position."""
    generation: int
    owner_id: str
    moved_at: float = field(eq=False)
    """When it reached this position, in seconds since the epoch by the store's clock."""
