"""The names that the expressions and strings of a definition refer to: what can be checked before there is a run.

Which params a run will be started with is unknown, so a name that nothing defines only gets a warning, unless it is
the param of a step that does not exist, or is used where only params of the workflow are allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial

from attrs import frozen

from maestro_flow.core.params.defaults import DEFAULTS, STEP_DEFAULTS
from maestro_flow.core.params.messages import did_you_mean, preview
from maestro_flow.core.params.plan import names_of, needed_names
from maestro_flow.core.params.references import names_in
from maestro_flow.dsl.graph import location_in_body
from maestro_flow.dsl.location import Location, listing
from maestro_flow.model.definition import RetryPolicy, StepDefinition, WhileStep, WorkflowDefinition, all_steps
from maestro_flow.model.params import Param

__all__ = ["check_names"]

_SEPARATOR = "__"
_OF_RUNS = frozenset(DEFAULTS) - STEP_DEFAULTS


def check_names(
    definition: WorkflowDefinition,
    location: Location,
    step: Callable[[int], Location],
    note: Callable[[Location, str], None],
) -> None:
    """Check what every param, condition, timeout and retry policy refers to; ``note`` receives doubtful names.

    ``location`` is that of the workflow; ``step`` returns that of the step with a given index.

    Raises:
        DefinitionError: a name refers to a step that does not exist, or is not a param of the workflow where it has
            to be one.
    """
    steps = {each.id for each in all_steps(definition.steps)}
    of_run = _Known((definition.params, _OF_RUNS), steps, note)
    for name, param in definition.params.items():
        of_run.check(needed_names(param), location / "params" / name)
    of_run.require(_names_of_text(definition.timeout_s), location / "timeout")
    scope = _Known((definition.params, steps, frozenset(DEFAULTS)), steps, note)
    _check_steps(definition.steps, step, scope, of_run)


def _check_steps(
    steps: tuple[StepDefinition, ...], step: Callable[[int], Location], scope: _Known, of_run: _Known
) -> None:
    """The steps of a workflow or of a body: each reads its own params, and those of ``scope``."""
    for index, each in enumerate(steps):
        location = step(index)
        uses = list(_uses(each, location))
        if uses:
            known = scope.inside(each.params)
            for names, here in uses:
                known.check(names, here)
        of_run.require(_names_of_policy(each.retry_policy), location / "retry_policy")
        if each.steps:
            body = scope.inside(_loop_params(each))
            if isinstance(each, WhileStep):
                body.check(names_of(each.condition), location / "condition")
            _check_steps(each.steps, partial(location_in_body, location, each.steps), body, of_run)


def _loop_params(loop: StepDefinition) -> frozenset[str]:
    """Names that the steps of a body can read in addition to those of the loop: its params, and what it loops over."""
    given = loop.params.get("loop_params")
    over = given.value if given is not None and isinstance(given.value, dict) else ()
    return frozenset({*loop.params, *over, "loop_index"})


def _uses(step: StepDefinition, location: Location) -> Iterator[tuple[Iterable[str], Location]]:
    """The names that a step reads in its own scope, by location; locations without names are left out."""
    for name, param in step.params.items():
        if names := needed_names(param):
            yield names, location / "params" / name
    for successor, condition in step.successors.items():
        if isinstance(condition, str) and (names := names_of(condition)):
            yield names, location / "transition" / "successors" / successor
    if names := _names_of_text(step.timeout_s):
        yield names, location / "timeout"


def _names_of_text(given: float | str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names_in(given)))


_DEFAULT_POLICY = RetryPolicy()


def _names_of_policy(policy: RetryPolicy) -> tuple[str, ...]:
    if policy == _DEFAULT_POLICY:
        return ()
    backoffs = (policy.error, policy.platform, policy.timeout)
    waits = [number for each in backoffs for number in (each.base_s, each.exponent, each.limit_s)]
    limits = (policy.error_retry_limit, policy.platform_retry_limit, policy.timeout_retry_limit)
    return tuple(dict.fromkeys(name for number in (*limits, *waits) for name in names_in(number)))


@frozen
class _Known:
    """The names that can be read in one scope: in any of ``names``, or as the param of one of ``steps``."""

    names: tuple[Mapping[str, Param] | Collection[str], ...]
    steps: Collection[str]
    note: Callable[[Location, str], None]

    def inside(self, names: Collection[str]) -> _Known:
        """A scope inside this one, with more names."""
        return _Known((names, *self.names), self.steps, self.note)

    def check(self, names: Iterable[str], location: Location) -> None:
        for name in names:
            if any(name in group for group in self.names) or self._is_of_step(name):
                continue
            if _SEPARATOR in name:
                step_id = name.partition(_SEPARATOR)[0]
                raise location.error(
                    f"{preview(name)} names the param of a step, but there is no step {preview(step_id)}"
                    f"{did_you_mean(step_id, self.steps)}"
                )
            hint = did_you_mean(name, self._all())
            self.note(location, f"nothing here defines {preview(name)}{hint}: it must be given when a run is started")

    def require(self, names: Iterable[str], location: Location) -> None:
        for name in names:
            if not any(name in group for group in self.names):
                known = self.names[0]
                raise location.error(
                    f"{preview(name)} is not a param of the workflow{did_you_mean(name, known)}; "
                    f"only these can be used here: {listing(known)}"
                )

    def _is_of_step(self, name: str) -> bool:
        """``step__param``; the id may end, and the param start, with ``_``."""
        at = name.find(_SEPARATOR)
        return at > 0 and any(name[:end] in self.steps for end in (at, at + 1) if name[end : end + 2] == _SEPARATOR)

    def _all(self) -> list[str]:
        return [name for group in self.names for name in group]
