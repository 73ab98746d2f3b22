"""What params can read beside those of their own scope.

A name is looked for among the params of the scope, of the run, of the other steps (``step__param``), among the
results of steps (by their id) and, last, among the default params. Whatever another step says can be read once that
step has got so far: a step can count on those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from maestro_flow.core.params.casts import shown
from maestro_flow.core.params.defaults import DEFAULTS, STEP_DEFAULTS, Facts
from maestro_flow.core.params.effective import params_of
from maestro_flow.core.params.subject import guess
from maestro_flow.core.state import FlowState
from maestro_flow.errors import SelRuntimeError, ValueNotStorable
from maestro_flow.model.params import Param
from maestro_flow.model.values import decode_value

__all__ = ["Around", "value_of_step_param"]

_SEPARATOR = "__"


@frozen
class Around:
    """Everything around one scope: that of a step, or that of the run (``step_id`` None).

    ``params`` are those of the run, evaluated; empty while they are being evaluated. ``scope`` gives a value of the
    scope itself, for the default params that follow from it; None if there is no such param.
    """

    state: FlowState
    params: Mapping[str, Param]
    at: float
    step_id: str | None
    attempt: int
    scope: Callable[[str], Any | None]
    ended: bool = False
    """The step itself is as good as complete: its result can be read."""

    def own(self, name: str) -> str:
        """The param of the scope that a name means."""
        if self.step_id is None or _SEPARATOR not in name:
            return name
        found = self._step_param(name)
        return found[1] if found and found[0] == self.step_id else name

    def knows(self, name: str) -> bool:
        if name in self.params or name in self.state.graph.steps or name in self._defaults():
            return True
        return _SEPARATOR in name and self._step_param(name) is not None

    def value(self, name: str) -> Any:
        if name in self.params:
            return self.params[name].plain
        if _SEPARATOR in name and (found := self._step_param(name)):
            return value_of_step_param(self.state, *found)
        if name in self.state.graph.steps:
            return self._result(name)
        if name in self._defaults():
            return DEFAULTS[name](self._facts())
        raise SelRuntimeError(self._unknown(name))

    def _defaults(self) -> frozenset[str]:
        return _RUN_DEFAULTS if self.step_id is None else _ALL_DEFAULTS

    def _facts(self) -> Facts:
        return Facts(self.state, self.at, self.step_id or "", self.attempt, self._lookup)

    def _lookup(self, name: str) -> Any:
        """A param of the scope or the run before the default one."""
        value = self.scope(name)
        if value is None and name in self.params:
            return self.params[name].plain
        return DEFAULTS[name](self._facts()) if value is None else value

    def _step_param(self, name: str) -> tuple[str, str] | None:
        """The step and the param that ``step__param`` means; an id may end, and a param begin, with ``_``.

        Raises:
            SelRuntimeError: it may mean two steps, as in Maestro (ParamEvaluator.java).
        """
        steps, at = self.state.graph.steps, name.index(_SEPARATOR)
        found = [name[:end] for end in (at, at + 1) if name[end : end + 2] == _SEPARATOR and name[:end] in steps]
        if len(found) > 1:
            raise SelRuntimeError(
                f"{name!r} may mean the step {found[0]!r} or {found[1]!r}; use params.getFromStep(step, param)"
            )
        return (found[0], name[len(found[0]) + 2 :]) if found else None

    def _result(self, step_id: str) -> Any:
        step = self.state.steps.get(step_id)
        is_own = self.ended and step_id == self.step_id
        if step is None or not (step.status.is_complete or is_own):
            status = "has not begun" if step is None else f"is {step.status}"
            raise SelRuntimeError(f"the step {step_id!r} has no result yet, it {status}; let it run before")
        try:
            return decode_value(bytes(step.result))
        except ValueNotStorable as error:
            raise SelRuntimeError(f"the result of step {step_id!r} cannot be read: {error}") from None

    def _unknown(self, name: str) -> str:
        if _SEPARATOR in name:
            step_id = name.partition(_SEPARATOR)[0]
            return f"{name!r} names no step{guess(step_id, self.state.graph.steps)}; write step__param"
        known = [*self.params, *self.state.graph.steps, *sorted(self._defaults())]
        if self.step_id is not None:
            known += self.state.graph.steps[self.step_id].params
        else:
            known += self.state.graph.definition.params
        return f"there is no param {name!r} here{guess(name, known)}; define it, or write $$ for a dollar in a text"


_ALL_DEFAULTS = frozenset(DEFAULTS)
_RUN_DEFAULTS = _ALL_DEFAULTS - STEP_DEFAULTS


def value_of_step_param(state: FlowState, step_id: str, name: str) -> Any:
    """The plain value of a param of another step.

    Raises:
        SelRuntimeError: there is no such step or param, or it is not evaluated yet.
    """
    if step_id not in state.graph.steps:
        raise SelRuntimeError(f"there is no step {shown(step_id)}{guess(step_id, state.graph.steps)}")
    params = params_of(state, step_id)
    if name in params:
        return params[name].plain
    if name in state.graph.steps[step_id].params:
        raise SelRuntimeError(
            f"the param {name!r} of step {step_id!r} is not evaluated yet; a step can read those of steps before it"
        )
    raise SelRuntimeError(f"the step {step_id!r} has no param {name!r}{guess(name, params)}")
