"""The options of a step written in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from typing import Any, TypeAlias, TypedDict, TypeGuard, cast

from maestro_flow.core.params.messages import did_you_mean, preview
from maestro_flow.core.params.references import has_reference
from maestro_flow.dsl.concurrency import limit_runs, read_concurrency, read_rule, read_tag_list
from maestro_flow.dsl.limits import BACKOFF_S_MAX, RETRIES_MAX, TIMEOUT_S_MAX
from maestro_flow.dsl.location import Location, listing
from maestro_flow.dsl.reader import Notes
from maestro_flow.dsl.retries import check_retry_policy
from maestro_flow.model.definition import Backoff, FailureMode, RetryPolicy, RunRule, RunStrategy, Tag

__all__ = [
    "After",
    "StepOptions",
    "check_options",
    "make_retry_policy",
    "make_strategy",
    "make_tags",
    "make_timeout",
]

After: TypeAlias = (
    "str | Callable[..., Any] | Iterable[str | Callable[..., Any]] | Mapping[str | Callable[..., Any], str | bool]"
)
"""Steps that must end first: ids or decorated functions, one or several; or a mapping from each to its condition."""

_EXPONENT_MAX = 100


class StepOptions(TypedDict, total=False):
    """The options of any step, all optional."""

    after: After
    """The steps that must end first; an id may refer to a step that is added later.

    A mapping gives for each of them the condition, a SEL expression, under which this step follows it.
    """
    when: str | bool
    """The condition, a SEL expression, under which this step follows those in ``after``; true by default."""
    retries: int
    """How often to retry when the step fails with an error; 0 by default."""
    retry_wait_s: float
    """Seconds before the first retry; 60 by default."""
    retry_backoff: float
    """Factor between consecutive waits; 2 by default."""
    retry_policy: RetryPolicy
    """The whole retry policy, instead of the three options above."""
    timeout_s: float | str | None
    """Seconds that one attempt may take, or a string with references to params, such as ``"${limit}"``."""
    failure_mode: FailureMode | str
    """What a permanent failure of the step does to the run; ``"fail_after_running"`` by default."""
    tags: Iterable[str | Tag]
    """Tags; one with a ``permit`` limits how many steps with this tag are active at once."""
    name: str
    """For people; not interpreted."""
    description: str
    """For people; not interpreted."""


def check_options(given: Mapping[str, Any], location: Location) -> StepOptions:
    """The options, checked, because a caller without a type checker may pass others.

    Raises:
        DefinitionError: there is no such option.
    """
    known = list(StepOptions.__annotations__)
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known)
            raise location.error(f"a step has no option {name}={hint}; the options are {listing(known)}")
    return cast(StepOptions, given)


def make_retry_policy(options: StepOptions, location: Location) -> RetryPolicy:
    """The retry policy; waits grow to ten minutes (Maestro's default), or stay at the first wait if that is longer.

    Raises:
        DefinitionError: a number is out of range or not a number, or a whole policy is given along with other options.
    """
    numbers = [name for name in ("retries", "retry_wait_s", "retry_backoff") if name in options]
    if "retry_policy" in options:
        policy = options["retry_policy"]
        if not isinstance(policy, RetryPolicy):
            raise location.error(f"retry_policy={preview(policy)}; expected a RetryPolicy")
        check_retry_policy(policy, location / "retry_policy")
        if numbers:
            raise location.error(f"retry_policy= is the whole retry policy; leave out {listing(numbers)}")
        return policy
    longest_s = 600  # Maestro's default
    retries = options.get("retries", 0)
    wait_s = options.get("retry_wait_s", 60)
    exponent = options.get("retry_backoff", 2)
    if type(retries) is not int or not 0 <= retries <= RETRIES_MAX:
        raise location.error(f"retries={preview(retries)}; expected a whole number from 0 to {RETRIES_MAX}")
    if not _is_number(wait_s) or not 0 <= wait_s <= BACKOFF_S_MAX:
        raise location.error(f"retry_wait_s={preview(wait_s)}; expected seconds from 0 to {BACKOFF_S_MAX}, a day")
    if not _is_number(exponent) or not 1 <= exponent <= _EXPONENT_MAX:
        raise location.error(f"retry_backoff={preview(exponent)}; expected a factor from 1 to {_EXPONENT_MAX}")
    return RetryPolicy(error_retry_limit=retries, error=Backoff(wait_s, exponent, max(wait_s, longest_s)))


def make_timeout(timeout_s: object, location: Location) -> float | str | None:
    """A timeout of an attempt or of a run: seconds, or a string with references to params.

    Raises:
        DefinitionError: it is neither, or is out of range.
    """
    if timeout_s is None:
        return None
    if isinstance(timeout_s, str) and has_reference(timeout_s):
        return timeout_s
    if not _is_number(timeout_s) or not 0 < timeout_s <= TIMEOUT_S_MAX:
        raise location.error(
            f"timeout_s={preview(timeout_s)}; expected seconds, more than 0 and at most 120 days, "
            "or a string with references to params"
        )
    return timeout_s


def make_tags(given: object, location: Location) -> tuple[Tag, ...]:
    """Tags, each a name or a ``Tag``.

    Raises:
        DefinitionError: it is not a list of these, or one of them is not legal or is repeated.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise location.error(f"tags={preview(given)}; expected a list of names or Tags")
    return read_tag_list([_spell_tag(tag) for tag in given], location / "tags", Notes())


def _spell_tag(tag: object) -> object:
    """A tag as a file would have it, so that the same checks apply."""
    if not isinstance(tag, Tag):
        return tag
    return {"name": tag.name, "namespace": tag.namespace or None, "permit": tag.permit}


def make_strategy(given: object, location: Location) -> RunStrategy:
    """A run strategy: the name of a rule, how many runs in parallel, or a ``RunStrategy``.

    Unlike in a file, parallel runs are not limited unless a number is given.

    Raises:
        DefinitionError: it is none of these, or the limit is out of range, or this rule has no such limit.
    """
    if isinstance(given, RunStrategy):
        given = {"rule": given.rule, "workflow_concurrency": given.workflow_concurrency}
    elif isinstance(given, str):
        given = {"rule": given}
    if isinstance(given, dict):
        rule, limit = read_rule(given["rule"], location), given.get("workflow_concurrency")
        if rule is RunRule.PARALLEL and limit is None:
            return RunStrategy()
        return limit_runs(rule, None if limit is None else read_concurrency(limit, location), location)
    return limit_runs(RunRule.PARALLEL, read_concurrency(given, location), location)


def _is_number(given: object) -> TypeGuard[float]:
    return isinstance(given, int | float) and not isinstance(given, bool) and isfinite(given)
