"""What of a definition has to be evaluated: found once per version, so that a step with only literals costs nothing."""

from __future__ import annotations

from functools import lru_cache

from attrs import frozen

from maestro_flow.core.params.references import names_in
from maestro_flow.model.definition import RetryPolicy, StepDefinition
from maestro_flow.model.params import Param, ParamType
from maestro_flow.sel import referenced_names

__all__ = ["StepPlan", "is_literal", "names_of", "needed_names", "plan_of"]

_CACHED_SOURCES_MAX = 4096


@frozen
class StepPlan:
    """``dynamic`` names the params that are not literals, ``conditions`` are the expressions on edges to successors.

    ``policy_refers`` and ``timeout_refers``: the retry policy or the timeout is a reference, or contains one.
    """

    dynamic: frozenset[str] = frozenset()
    conditions: tuple[tuple[str, str], ...] = ()
    policy_refers: bool = False
    timeout_refers: bool = False


_NOTHING = StepPlan()


def plan_of(step: StepDefinition) -> StepPlan:
    """The plan of one step; most steps have nothing to evaluate, and share one plan."""
    dynamic = frozenset(name for name, param in step.params.items() if not is_literal(param))
    conditions = tuple((to, condition) for to, condition in step.successors.items() if isinstance(condition, str))
    policy_refers = step.retry_policy != _DEFAULT_POLICY and _refers(step.retry_policy)
    plan = StepPlan(dynamic, conditions, policy_refers, isinstance(step.timeout_s, str))
    return _NOTHING if plan == _NOTHING else plan


_DEFAULT_POLICY = RetryPolicy()


def _refers(policy: RetryPolicy) -> bool:
    limits = (policy.error_retry_limit, policy.platform_retry_limit, policy.timeout_retry_limit)
    waits = [
        number
        for backoff in (policy.error, policy.platform, policy.timeout)
        for number in (backoff.base_s, backoff.exponent, backoff.limit_s)
    ]
    return any(isinstance(number, str) for number in (*limits, *waits))


def is_literal(param: Param) -> bool:
    """Whether the param needs no evaluation: it has no expression, and none of its strings has a reference."""
    if param.expression is not None:
        return False
    value = param.value
    if isinstance(value, str):
        return param.type is ParamType.STRING and "$" not in value
    if isinstance(value, list):
        is_text = param.type is ParamType.STRING_ARRAY
        return not any(isinstance(item, str) and (not is_text or "$" in item) for item in value)
    if isinstance(value, dict):
        if param.type is ParamType.MAP:
            return all(is_literal(entry) for entry in value.values())
        return not any("$" in text for entry in value.items() for text in entry)
    return True


def needed_names(param: Param) -> tuple[str, ...]:
    """The names that a param reads, as far as they can be told without evaluating it; each once.

    Raises:
        SelError: its expression is not valid SEL.
    """
    if param.expression is not None:
        return names_of(param.expression)
    if param.type is ParamType.MAP and isinstance(param.value, dict):
        names = (name for entry in param.value.values() for name in needed_names(entry))
    else:
        return tuple(dict.fromkeys(names_in(param.value)))
    return tuple(dict.fromkeys(names))


@lru_cache(maxsize=_CACHED_SOURCES_MAX)
def names_of(source: str) -> tuple[str, ...]:
    """The names that an expression reads before it assigns them.

    Raises:
        SelError: the source is not valid SEL.
    """
    return tuple(sorted(referenced_names(source)))
