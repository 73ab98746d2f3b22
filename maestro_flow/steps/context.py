"""The context of a call of a step's code: what it knows, and how it reports progress."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from msgspec import Struct, field

from maestro_flow.model.flow_id import FlowId

__all__ = ["CallProgress", "StepContext"]

logger = logging.getLogger("maestro_flow.user_code")


class CallProgress(Struct, frozen=True):
    """Progress of a running call. Plain data; empty, it is only a sign of life."""

    artifacts: dict[str, Any] = {}
    timeline: tuple[str, ...] = ()

    def then(self, later: CallProgress) -> CallProgress:
        """Both in one: artifacts are merged; of the lines for users, the later ones count."""
        return CallProgress(self.artifacts | later.artifacts, later.timeline or self.timeline)


def _nobody_listens(_progress: CallProgress) -> None:
    """The default for contexts created in tests."""


class StepContext(Struct, frozen=True):
    """What a call knows. Times are seconds since the epoch by the store's clock."""

    workflow_id: str
    """In an iteration of a loop, the loop: ``<workflow>/<instance>/<run>/<step>``."""
    version: int
    instance_id: int
    run_id: int
    step_id: str
    attempt: int
    """1 for the first try, one more for each retry."""
    execution: int
    """1 at first, one more each time the same attempt is continued after a takeover."""
    generation: int
    """Generation of the group's owner: (generation, attempt, execution) grows with every execution of the step, so that
    an external resource can refuse a late writer by it."""
    started_at: float
    """When this attempt became STARTING."""
    now: float
    params: Mapping[str, Any]
    """The step's own params, as plain values; declared ones have their types and defaults."""
    run_params: Mapping[str, Any]
    """The run's params, as plain values."""
    artifacts: Mapping[str, Any] = field(default_factory=dict)
    """Artifacts of the attempt's earlier calls."""
    result_of: Callable[[str], Any] = lambda _step_id: None
    """The result of a step that has ended, None if it has none; see ``StepType.takes_results``."""
    is_cancelled: Callable[[], bool] = lambda: False
    """True as soon as the result is no longer wanted: timeout, stop, or the node gave up the run."""
    deadline: float | None = None
    """When the attempt times out; None if it has no timeout."""
    tell: Callable[[CallProgress], None] = _nobody_listens
    """Receives what ``progress`` and ``heartbeat`` report."""

    @property
    def idempotency_key(self) -> str:
        """The same for all attempts and executions of this step in this run, different for any other."""
        return str(FlowId(self.workflow_id, self.instance_id, self.run_id).step(self.step_id))

    @property
    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger whose records start with run, step and attempt, and also have them as attributes."""
        return _StepLogger(
            logger,
            {
                "workflow_id": self.workflow_id,
                "instance_id": self.instance_id,
                "run_id": self.run_id,
                "step_id": self.step_id,
                "attempt": self.attempt,
                "execution": self.execution,
            },
        )

    def progress(
        self, fraction: float | None = None, message: str = "", *, artifacts: Mapping[str, Any] | None = None
    ) -> None:
        """Report the progress of this call: a fraction, a message, and artifacts that a later call will need.

        It is written soon, not at once. Of several reports within ``progress_s`` only the latest is written; artifacts
        are merged. What must be durable before the code continues belongs in the result of a call. Returns immediately.

        Raises:
            ValueError: the fraction is not a number from 0 to 1.
            ValueNotStorable: the artifacts are not JSON values, or too large.
        """
        if fraction is not None and not 0 <= fraction <= 1:
            raise ValueError(f"the fraction of progress must be a number from 0 to 1, not {fraction!r}")
        parts = [part for part in (None if fraction is None else f"{fraction:.0%}", message) if part]
        self.tell(CallProgress(dict(artifacts or {}), (": ".join(parts),) if parts else ()))

    def heartbeat(self) -> None:
        """Give a sign of life, for a type with ``heartbeat_timeout_s``. Nothing is written. Returns immediately."""
        self.tell(CallProgress())


class _StepLogger(logging.LoggerAdapter[logging.Logger]):
    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        of: Mapping[str, Any] = self.extra or {}
        kwargs["extra"] = {**of, **kwargs.get("extra", {})}
        run = FlowId(of["workflow_id"], of["instance_id"], of["run_id"])
        return f"{run} {of['step_id']}#{of['attempt']}: {msg}", kwargs
