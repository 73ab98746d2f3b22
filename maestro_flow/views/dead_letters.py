"""Dead letters as users see them: messages that no owner of their run could handle (PROTOCOL 17)."""

from __future__ import annotations

from attrs import frozen

from maestro_flow.model.inbox import Message

__all__ = ["DeadLetter"]


@frozen
class DeadLetter:
    """A message that several owners of its group have failed to handle."""

    message_id: str
    group_id: int
    flow_id: str
    """The run that it is for: ``<workflow id>/<instance id>/<run id>``."""
    kind: str
    """The action that it asks for, in lower case: ``stop``, ``skip``, ..."""
    body: str
    """JSON as it was sent."""
    sent_at: float
    """Seconds since the epoch."""
    deliveries: int
    """How many owners of the group have tried it."""
    reason: str
    """Why it was given up, with the traceback of the last failure if there is one."""

    @classmethod
    def of(cls, message: Message) -> DeadLetter:
        """The view of a dead message."""
        return cls(
            message.message_id,
            message.group_id,
            message.flow_id,
            message.kind,
            message.body.decode(errors="replace"),
            message.sent_at,
            message.deliveries,
            message.outcome,
        )
