"""What a decision evaluates: params of runs and steps, timeouts, retry policies, conditions, outputs.

Pure: the same state and time give the same values. They are written with the event that uses them, so that ``evolve``
never evaluates and a re-execution of an attempt sees what its first execution saw (law 3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import evolve
from msgspec import Raw
from msgspec.structs import replace

from maestro_flow.core.params.error_context import ErrorContext
from maestro_flow.core.params.expressions import Budget, Expressions
from maestro_flow.core.params.functions import RunFunctions
from maestro_flow.core.params.merge import carried_over, merge_params
from maestro_flow.core.params.messages import preview
from maestro_flow.core.params.outer_scope import OuterScope
from maestro_flow.core.params.scope import Scope
from maestro_flow.core.params.step_params import params_of
from maestro_flow.core.state import FlowState
from maestro_flow.model.definition import Backoff, RetryPolicy
from maestro_flow.model.durations import DURATION, parse_duration
from maestro_flow.model.params import Param, ParamSource, as_data, encode_params
from maestro_flow.model.requests import RunPolicy, RunRequest

__all__ = [
    "BACKOFF_S_MAX",
    "PARAMS_CHARS_MAX",
    "RETRIES_MAX",
    "RUN_PARAMS_MAX",
    "TIMEOUT_S_MAX",
    "Evaluation",
    "begins_with_literals",
]

RUN_PARAMS_MAX = 128
"""Params that a start may set. These limits are Maestro's (Constants.java)."""
PARAMS_CHARS_MAX = 750_000
"""Characters of all evaluated params of a run or of a step, as JSON."""
RETRIES_MAX = 99
BACKOFF_S_MAX = 86_400
TIMEOUT_S_MAX = 120 * 86_400
_COUNT = re.compile(r"\s*\d{1,18}\s*", re.ASCII)


def begins_with_literals(state: FlowState, step_id: str) -> bool:
    """Whether the attempts of the step start with nothing to evaluate: neither params nor a timeout."""
    plan = state.graph.plans[step_id]
    return not (plan.dynamic or plan.timeout_refers or state.request.step_params or state.step_changes)


class Evaluation:
    """What one decision evaluates, at time ``at``; ``is_spent`` when one decision should evaluate no more.

    Each evaluation may take ``visits_max`` visits of SEL, whatever was evaluated before, so that whether it succeeds
    does not depend on the rest of the decision. All methods raise ``ParamError``.
    """

    def __init__(self, at: float, visits_max: int) -> None:
        self._at = at
        self._budget = Budget(visits_max)

    @property
    def is_spent(self) -> bool:
        return self._budget.is_spent

    # -- a run --------------------------------------------------------------------------------------------------

    def run_params(self, state: FlowState, request: RunRequest) -> dict[str, Param]:
        """All params of a run that starts, evaluated, in the order of the definition; params the request adds are last.

        ``state`` has the ids and the request of the run already, and the previous run, if this one restarts it.
        """
        context = ErrorContext.of(state)
        params: Mapping[str, Param] = state.graph.definition.params
        if state.inherits_from is not None:
            before = {name: as_data(param) for name, param in state.inherits_from.params.items()}
            params = carried_over(params, before)
        if request.params:
            if len(request.params) > RUN_PARAMS_MAX:
                raise context.error(f"{len(request.params)} params were given; at most {RUN_PARAMS_MAX} are allowed")
            params = merge_params(params, request.params, _source_of(request), context)
        if not params:
            return {}
        evaluated = self._scope(state, None, 0, params, {}).all()
        _check_size(evaluated, context)
        return evaluated

    def run_timeout(self, state: FlowState, params: dict[str, Param]) -> float | None:
        """Seconds that the run may take, with these params; None if there is no limit."""
        timeout_s = state.graph.definition.timeout_s
        if not isinstance(timeout_s, str):
            return timeout_s
        return self._timeout(self._run_scope(state, params), timeout_s, "the timeout")

    # -- a step -------------------------------------------------------------------------------------------------

    def step_params(self, state: FlowState, step_id: str, attempt: int) -> dict[str, Param]:
        """The params of an attempt that are not literals of the definition, evaluated."""
        definition = state.graph.steps[step_id].params
        at_start, inside = state.request.step_params.get(step_id), state.step_changes.get(step_id)
        dynamic = state.graph.plans[step_id].dynamic
        if not (dynamic or at_start or inside):
            return {}
        params = self._merged(state, step_id)
        evaluated = self._scope(state, step_id, attempt, params, state.params).all()
        _check_size(evaluated, ErrorContext.of(state, step_id))
        if at_start or inside:
            return {name: param for name, param in evaluated.items() if definition.get(name) is not param}
        return {name: param for name, param in evaluated.items() if name in dynamic}

    def step_timeout(self, state: FlowState, step_id: str, params: Mapping[str, Param]) -> float | None:
        """Seconds that an attempt may take, if the definition gives a reference; ``params`` are the attempt's own."""
        timeout_s = state.graph.steps[step_id].timeout_s
        if not isinstance(timeout_s, str):
            return None
        step = state.steps.get(step_id)
        attempt = 1 if step is None else step.attempt or 1
        known = {**params_of(state, step_id), **params}
        scope = self._scope(state, step_id, attempt, known, state.params, done=known)
        return self._timeout(scope, timeout_s, "the timeout")

    def retry_policy(self, state: FlowState, step_id: str) -> RetryPolicy:
        """The retry policy, its references replaced by params of the run; numbers above a maximum are capped at it."""
        policy = state.graph.steps[step_id].retry_policy
        if not state.graph.plans[step_id].policy_refers:
            return policy
        scope = self._run_scope(state, state.params)
        context = ErrorContext.of(state, step_id)

        def number(given: float | str, what: str, most: float, *, is_wait: bool = False) -> float:
            if not isinstance(given, str):
                return given
            what = f"the retry policy: {what}"
            return min(self._number(scope, given, what, context, is_wait=is_wait), most)

        def backoff(given: Backoff, kind: str) -> Backoff:
            return Backoff(
                number(given.base_s, f"{kind} backoff", BACKOFF_S_MAX, is_wait=True),
                number(given.exponent, f"{kind} exponent", 2**31 - 1),
                number(given.limit_s, f"{kind} limit of the backoff", BACKOFF_S_MAX, is_wait=True),
            )

        return evolve(
            policy,
            error_retry_limit=int(number(policy.error_retry_limit, "error_retry_limit", RETRIES_MAX)),
            platform_retry_limit=int(number(policy.platform_retry_limit, "platform_retry_limit", RETRIES_MAX)),
            timeout_retry_limit=int(number(policy.timeout_retry_limit, "timeout_retry_limit", RETRIES_MAX)),
            error=backoff(policy.error, "error"),
            platform=backoff(policy.platform, "platform"),
            timeout=backoff(policy.timeout, "timeout"),
        )

    def branches(self, state: FlowState, step_id: str, outputs: dict[str, Param], result: Raw) -> dict[str, bool]:
        """The values of the conditions on the edges from a step that is about to be complete, by successor.

        ``outputs`` are what the method ``outputs`` returned; ``result`` can be read under the step's own id.
        """
        conditions = state.graph.plans[step_id].conditions
        if not conditions:
            return {}
        step = state.steps.get(step_id)
        if step is not None and result is not step.result:
            state = replace(state, steps=state.steps.set(step_id, replace(step, result=result)))
        attempt = 1 if step is None else step.attempt or 1
        known = {**params_of(state, step_id), **outputs}
        params = {**self._merged(state, step_id), **known}
        scope = self._scope(state, step_id, attempt, params, state.params, done=known, ended=True)
        values = {}
        for successor, condition in conditions:
            what = f"the condition of the transition from {step_id!r} to {successor!r}, {preview(condition)}"
            value = scope.read(condition, what)
            if not isinstance(value, bool):
                raise scope.context.error(f"{what}: it evaluates to {preview(value)}; expected true or false")
            values[successor] = value
        return values

    def outputs(self, state: FlowState, step_id: str, given: Mapping[str, Param]) -> dict[str, Param]:
        """The params of a step that its outputs change: they must be declared and MUTABLE, and keep their type."""
        if not given:
            return {}
        context = ErrorContext.of(state, step_id)
        declared = params_of(state, step_id)
        for name in given:
            if name not in declared:
                raise context.error(
                    f"the output {name!r} is not a param of the step; define the param, so that its type is known"
                )
        merged = merge_params(declared, given, ParamSource.OUTPUT_PARAMETER, context)
        _check_size(merged, context)
        return {name: merged[name] for name in given}

    # -- what they share ----------------------------------------------------------------------------------------

    def _merged(self, state: FlowState, step_id: str) -> Mapping[str, Param]:
        """The params of a step with the changes made at the start and during the run, not evaluated."""
        params: Mapping[str, Param] = state.graph.steps[step_id].params
        context = ErrorContext.of(state, step_id)
        at_start, inside = state.request.step_params.get(step_id), state.step_changes.get(step_id)
        if at_start:
            params = merge_params(params, at_start, _source_of(state.request), context)
        if inside:
            params = merge_params(params, inside, ParamSource.RESTART, context)
        return params

    def _run_scope(self, state: FlowState, params: Mapping[str, Param]) -> Scope:
        return self._scope(state, None, 0, params, params, done=params)

    def _scope(
        self,
        state: FlowState,
        step_id: str | None,
        attempt: int,
        params: Mapping[str, Param],
        run_params: Mapping[str, Param],
        *,
        done: Mapping[str, Param] | None = None,
        ended: bool = False,
    ) -> Scope:
        def local_value(name: str) -> Any:
            return scope.value_of(name, None) if name in params else None

        outer = OuterScope(state, run_params, self._at, step_id, attempt, local_value, ended)
        expressions = Expressions(
            RunFunctions(state, step_id, attempt),
            self._budget,
            self._at,
            f"{state.flow_id}/{step_id or ''}/{attempt}",
        )
        scope = Scope(params, ErrorContext.of(state, step_id), outer, expressions, done)
        return scope

    def _timeout(self, scope: Scope, text: str, what: str) -> float:
        seconds = self._number(scope, text, what, scope.context, is_wait=True)
        if not 0 < seconds <= TIMEOUT_S_MAX:
            raise scope.context.error(
                f"{what}, {preview(text)}, is {seconds:g} s; expected more than 0 and at most 120 days"
            )
        return seconds

    def _number(self, scope: Scope, text: str, what: str, context: ErrorContext, *, is_wait: bool) -> float:
        found = scope.interpolated(text, f"{what}, {preview(text)}")
        try:
            return parse_duration(found) if is_wait else _count(found)
        except ValueError:
            expected = DURATION if is_wait else "a non-negative whole number"
            raise context.error(f"{what}, {preview(text)}, is {preview(found)}; expected {expected}") from None


def _count(text: str) -> int:
    if not _COUNT.fullmatch(text):
        raise ValueError("not a whole number")
    return int(text)


def _source_of(request: RunRequest) -> ParamSource:
    is_fresh = request.policy is RunPolicy.START_FRESH_NEW_RUN
    return ParamSource.LAUNCH if is_fresh else ParamSource.RESTART


def _check_size(params: dict[str, Param], context: ErrorContext) -> None:
    encoded = encode_params(params)
    if len(encoded) > PARAMS_CHARS_MAX and (size := len(encoded.decode())) > PARAMS_CHARS_MAX:
        raise context.error(
            f"its params have {size:,} characters as JSON; at most {PARAMS_CHARS_MAX:,} are allowed: store large "
            "values elsewhere, and pass where they are"
        )
