"""A workflow definition as the engine uses it: checked, normalised and immutable.

``maestro_flow.dsl`` reads the forms in which users write one (JSON, YAML, Python). Fields that this version stores
without acting on them are kept verbatim in ``stored``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

from attrs import Factory, field, frozen

from maestro_flow.model.params import Param

__all__ = [
    "DEFAULT_EXECUTOR",
    "Backoff",
    "BackoffKind",
    "FailureMode",
    "ForeachStep",
    "RetryPolicy",
    "RunRule",
    "RunStrategy",
    "StepDefinition",
    "StepKind",
    "SubworkflowStep",
    "Tag",
    "TypedStep",
    "WhileStep",
    "WorkflowDefinition",
    "all_steps",
]

DEFAULT_EXECUTOR = "threads"
"""What runs the code of a step that names no other executor."""


class BackoffKind(StrEnum):
    """How the wait changes from one retry to the next."""

    EXPONENTIAL = "EXPONENTIAL_BACKOFF"
    FIXED = "FIXED_BACKOFF"


class FailureMode(StrEnum):
    """What the permanent failure of a step does to its run (Maestro: FailureMode.java)."""

    FAIL_AFTER_RUNNING = "FAIL_AFTER_RUNNING"
    """Other branches run to their end; then the run fails."""
    FAIL_IMMEDIATELY = "FAIL_IMMEDIATELY"
    """All other steps are stopped."""
    IGNORE_FAILURE = "IGNORE_FAILURE"
    """The step counts as complete nevertheless: COMPLETED_WITH_ERROR."""


class RunRule(StrEnum):
    """How the runs of a workflow relate to each other (Maestro: RunStrategy.java)."""

    SEQUENTIAL = "SEQUENTIAL"
    STRICT_SEQUENTIAL = "STRICT_SEQUENTIAL"
    FIRST_ONLY = "FIRST_ONLY"
    LAST_ONLY = "LAST_ONLY"
    SERIAL_LATEST_ONLY = "SERIAL_LATEST_ONLY"
    PARALLEL = "PARALLEL"


@frozen
class RunStrategy:
    """A rule; ``workflow_concurrency``: how many runs are active at once, 1 for all but PARALLEL (None: no limit)."""

    rule: RunRule = RunRule.PARALLEL
    workflow_concurrency: int | None = None

    @property
    def is_limited(self) -> bool:
        """Runs may have to wait for each other, so one owner must hold them all (PROTOCOL 19)."""
        return self.rule is not RunRule.PARALLEL or self.workflow_concurrency is not None


@frozen
class Tag:
    """A tag of a step or a workflow; ``permit`` limits how many steps with this tag are active at once."""

    name: str
    namespace: str = ""
    permit: int | None = None


@frozen
class Backoff:
    """The wait before a retry for one kind of failure: ``base_s * exponent ** retries``, at most ``limit_s`` seconds.

    Here, and in the two classes below, a string is a reference to params of the run (``${name}``), not a number.
    """

    base_s: float | str = 60
    exponent: float | str = 2
    limit_s: float | str = 600


@frozen
class RetryPolicy:
    """How often a failed attempt is retried, per kind of failure, and after what wait.

    The defaults are Maestro's (RetryPolicy.java): 2 user, 10 platform and 0 timeout retries, exponential from 60 s.
    """

    error_retry_limit: int | str = 2
    platform_retry_limit: int | str = 10
    timeout_retry_limit: int | str = 0
    kind: BackoffKind = BackoffKind.EXPONENTIAL
    error: Backoff = Backoff()
    platform: Backoff = Backoff(limit_s=3600)
    timeout: Backoff = Backoff(limit_s=3600)


NO_RETRIES = RetryPolicy(0, 0, 0)


class StepKind(StrEnum):
    """The field in which a step stands in a definition: ``{"foreach": {...}}`` (Maestro: StepType.java)."""

    STEP = "step"
    FOREACH = "foreach"
    WHILE = "while"
    SUBWORKFLOW = "subworkflow"


@frozen
class TypedStep:
    """A step of an installed type. The fields up to ``stored`` mean the same in every kind.

    ``successors`` maps the id of a following step to its condition: a constant, or a SEL text. ``timeout_s`` limits one
    attempt, in seconds or as a reference to params.

    Its encoding has no ``kind``: that of every definition pushed before there were others stays what it is.
    """

    kind: ClassVar[StepKind] = StepKind.STEP
    steps: ClassVar[tuple[StepDefinition, ...]] = ()

    id: str
    type: str
    name: str = ""
    description: str = ""
    params: dict[str, Param] = Factory(dict)
    successors: dict[str, bool | str] = Factory(dict)
    retry_policy: RetryPolicy = RetryPolicy()
    failure_mode: FailureMode = FailureMode.FAIL_AFTER_RUNNING
    timeout_s: float | str | None = None
    tags: tuple[Tag, ...] = ()
    stored: dict[str, Any] = Factory(dict)


class _Composite:
    """What the steps that run other steps have in common: the engine itself runs them, and they are never retried."""

    __slots__ = ()
    kind: StepKind
    retry_policy: ClassVar[RetryPolicy] = NO_RETRIES

    @property
    def type(self) -> str:
        """In place of the type of a step: its kind."""
        return self.kind.value


@frozen
class ForeachStep(_Composite):
    """Runs ``steps`` once for each combination of the values in its param ``loop_params``, a MAP of arrays.

    At most ``concurrency`` iterations run at once; with ``strict_ordering``, each waits for the oldest unfinished one.
    """

    kind: StepKind = field(default=StepKind.FOREACH, init=False)
    id: str
    steps: tuple[StepDefinition, ...]
    name: str = ""
    description: str = ""
    params: dict[str, Param] = Factory(dict)
    successors: dict[str, bool | str] = Factory(dict)
    failure_mode: FailureMode = FailureMode.FAIL_AFTER_RUNNING
    timeout_s: float | str | None = None
    tags: tuple[Tag, ...] = ()
    stored: dict[str, Any] = Factory(dict)
    concurrency: int | None = None
    strict_ordering: bool = False


@frozen
class WhileStep(_Composite):
    """Runs ``steps`` again as long as ``condition``, a SEL text, is true of its param ``loop_params``, a MAP."""

    kind: StepKind = field(default=StepKind.WHILE, init=False)
    id: str
    steps: tuple[StepDefinition, ...]
    condition: str
    name: str = ""
    description: str = ""
    params: dict[str, Param] = Factory(dict)
    successors: dict[str, bool | str] = Factory(dict)
    failure_mode: FailureMode = FailureMode.FAIL_AFTER_RUNNING
    timeout_s: float | str | None = None
    tags: tuple[Tag, ...] = ()
    stored: dict[str, Any] = Factory(dict)


@frozen
class SubworkflowStep(_Composite):
    """Starts a run of another workflow: its params ``subworkflow_id`` and ``subworkflow_version`` say which.

    With ``sync`` it ends when that run has ended. That run is given all params of this one, or, with
    ``explicit_params``, only those of the step.
    """

    steps: ClassVar[tuple[StepDefinition, ...]] = ()

    kind: StepKind = field(default=StepKind.SUBWORKFLOW, init=False)
    id: str
    name: str = ""
    description: str = ""
    params: dict[str, Param] = Factory(dict)
    successors: dict[str, bool | str] = Factory(dict)
    failure_mode: FailureMode = FailureMode.FAIL_AFTER_RUNNING
    timeout_s: float | str | None = None
    tags: tuple[Tag, ...] = ()
    stored: dict[str, Any] = Factory(dict)
    sync: bool = True
    explicit_params: bool = False


StepDefinition: TypeAlias = TypedStep | ForeachStep | WhileStep | SubworkflowStep
"""One step. ``steps`` are those of its body, if it is a loop; what they need, it needs."""


def all_steps(steps: Iterable[StepDefinition]) -> Iterator[StepDefinition]:
    """Each of the steps, followed by those of its body, at any depth."""
    for step in steps:
        yield step
        yield from all_steps(step.steps)


@frozen
class WorkflowDefinition:
    """One version of a workflow: acyclic, every successor exists, ids are legal (checked when it is read).

    ``timeout_s`` limits a run. ``step_concurrency`` limits the active steps of all runs, ``instance_step_concurrency``
    those of one run; None means unlimited.
    """

    id: str
    steps: tuple[StepDefinition, ...]
    name: str = ""
    description: str = ""
    owner: str = ""
    params: dict[str, Param] = Factory(dict)
    timeout_s: float | str | None = None
    run_strategy: RunStrategy = RunStrategy()
    step_concurrency: int | None = None
    instance_step_concurrency: int | None = None
    tags: tuple[Tag, ...] = ()
    stored: dict[str, Any] = Factory(dict)
