"""A run in the catalog and in the run index: its start, the pending run, and its entry (PROTOCOL 18, 19)."""

from __future__ import annotations

from attrs import field, frozen, validators

from maestro_flow.model.numbers import storable_number, storable_pair
from maestro_flow.model.status import RunStatus
from maestro_flow.model.text import storable

__all__ = ["PendingRun", "RunEntry", "StartRequest"]


@frozen
class RunEntry:
    """A run as the index of its group shows it; times are seconds since the epoch by the store's clock."""

    flow_id: str
    workflow_id: str
    version: int
    instance_id: int
    run_id: int
    group_id: int
    status: RunStatus
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    blocking: bool = False
    """It has failed under a limited run strategy, and was neither restarted nor unblocked: under STRICT_SEQUENTIAL no
    further run of the workflow begins, and under another rule it cannot be switched to STRICT_SEQUENTIAL."""
    parent: str = ""
    """The step that started it, as the text of a ``StepRef``; empty for a run that a user has started."""


@frozen
class StartRequest:
    """Step (a) of a start (PROTOCOL 18): idempotent by (workflow_id, request_id).

    ``body`` is a ``RunRequest`` as JSON, which the store never inspects. ``version`` None means the latest, or for a
    restart that of the run it follows.
    """

    workflow_id: str = field(validator=storable)
    request_id: str = field(validator=storable)
    group_id: int
    version: int | None = field(default=None, validator=validators.optional(storable_number))
    body: bytes = b"{}"
    after: tuple[int, int] | None = field(default=None, validator=validators.optional(storable_pair))
    """A restart: (instance_id, run_id) of the run that the new one follows, in its instance. None: a new instance."""
    parent: str = field(default="", validator=storable)
    """The step that starts it, as in ``RunEntry``."""


@frozen
class PendingRun:
    """A run that has its number and group, and waits for (or already has) its first commit."""

    flow_id: str
    workflow_id: str
    version: int
    instance_id: int
    run_id: int
    group_id: int
    request_id: str
    body: bytes
    created_at: float
    parent: str = ""
    fresh: bool = False
    """True in the answer to the request that created it, False for a duplicate and in listings."""
    sequence: int = field(default=0, eq=False)
    """Orders what ``pending_starts`` returns; 0 elsewhere."""

    @property
    def entry(self) -> RunEntry:
        """Its entry in the index until the first commit writes one."""
        return RunEntry(
            flow_id=self.flow_id,
            workflow_id=self.workflow_id,
            version=self.version,
            instance_id=self.instance_id,
            run_id=self.run_id,
            group_id=self.group_id,
            status=RunStatus.CREATED,
            created_at=self.created_at,
            parent=self.parent,
        )
