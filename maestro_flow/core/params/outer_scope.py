"""What params can read beyond those of their own scope.

A name is looked up among the params of the scope, of the run and of other steps (``step__param``), then among the
results of steps (by step id) and, last, among the default params. What another step provides can be read as soon as
it is there: a step can rely on those that run before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from maestro_flow.core.params.defaults import DEFAULTS, STEP_DEFAULTS, DefaultInputs
from maestro_flow.core.params.messages import did_you_mean, preview
from maestro_flow.core.params.step_params import params_of
from maestro_flow.core.state import FlowState
from maestro_flow.errors import SelRuntimeError, ValueNotStorable
from maestro_flow.model.params import Param
from maestro_flow.model.values import decode_value

__all__ = ["OuterScope", "value_of_step_param"]

_SEPARATOR = "__"


@frozen
class OuterScope:
    """Everything outside one scope: that of a step, or that of the run (``step_id`` None).

    ``params`` are those of the run, evaluated; empty while they are being evaluated. ``local_value`` returns the value
    of a param of the scope itself, for the default params that depend on it; None if the scope has no such param.
    """

    state: FlowState
    params: Mapping[str, Param]
    at: float
    step_id: str | None
    attempt: int
    local_value: Callable[[str], Any | None]
    ended: bool = False
    """The step itself is about to be complete: its result can be read."""

    def local_name(self, name: str) -> str:
        """The param of the scope that a name means: the name itself, or ``p`` for ``step__p`` in that step."""
        if self.step_id is None or _SEPARATOR not in name:
            return name
        found = self._step_param(name)
        return found[1] if found and found[0] == self.step_id else name

    def knows(self, name: str) -> bool:
        """A name that can have a value out here; whether it has one now, ``value`` says."""
        if name in self.params or name in self.state.graph.steps or name in self._defaults():
            return True
        return _SEPARATOR in name and self._step_param(name) is not None

    def value(self, name: str) -> Any:
        """The plain value of a name.

        Raises:
            SelError: it has none; the message says why.
            NeedsParam: it depends on a param of the scope that is not evaluated yet.
        """
        if name in self.params:
            return self.params[name].plain
        if _SEPARATOR in name and (found := self._step_param(name)):
            return value_of_step_param(self.state, *found)
        if name in self.state.graph.steps:
            return self._result(name)
        if name in self._defaults():
            return DEFAULTS[name](self._default_inputs())
        raise SelRuntimeError(self._unknown(name))

    def _defaults(self) -> frozenset[str]:
        return _RUN_DEFAULTS if self.step_id is None else _ALL_DEFAULTS

    def _default_inputs(self) -> DefaultInputs:
        return DefaultInputs(self.state, self.at, self.step_id or "", self.attempt, self._lookup)

    def _lookup(self, name: str) -> Any:
        """A param of the scope or of the run; the default one if neither defines it."""
        value = self.local_value(name)
        if value is None and name in self.params:
            return self.params[name].plain
        return DEFAULTS[name](self._default_inputs()) if value is None else value

    def _step_param(self, name: str) -> tuple[str, str] | None:
        """The step and the param that ``step__param`` means; an id may end, and a param start, with ``_``.

        Raises:
            SelRuntimeError: it is ambiguous, as in Maestro (ParamEvaluator.java).
        """
        steps, at = self.state.graph.steps, name.index(_SEPARATOR)
        found = [name[:end] for end in (at, at + 1) if name[end : end + 2] == _SEPARATOR and name[:end] in steps]
        if len(found) > 1:
            raise SelRuntimeError(
                f"{name!r} is ambiguous: step {found[0]!r} or step {found[1]!r}; use params.getFromStep(step, param)"
            )
        return (found[0], name[len(found[0]) + 2 :]) if found else None

    def _result(self, step_id: str) -> Any:
        step = self.state.steps.get(step_id)
        is_own = self.ended and step_id == self.step_id
        if step is None or not (step.status.is_complete or is_own):
            status = "has not started" if step is None or not step.attempt else f"is {step.status}"
            raise SelRuntimeError(f"step {step_id!r} has no result yet: it {status}; make this step run after it")
        try:
            return decode_value(bytes(step.result))
        except ValueNotStorable as error:
            raise SelRuntimeError(f"the result of step {step_id!r} cannot be read: {error}") from None

    def _unknown(self, name: str) -> str:
        if _SEPARATOR in name:
            step_id = name.partition(_SEPARATOR)[0]
            return f"{name!r} does not name a step{did_you_mean(step_id, self.state.graph.steps)}; write step__param"
        known = [*self.params, *self.state.graph.steps, *sorted(self._defaults())]
        if self.step_id is not None:
            known += self.state.graph.steps[self.step_id].params
        else:
            known += self.state.graph.definition.params
        hint = did_you_mean(name, known)
        return f"there is no param {name!r} here{hint}; define it, or write $$ for a literal dollar sign"


_ALL_DEFAULTS = frozenset(DEFAULTS)
_RUN_DEFAULTS = _ALL_DEFAULTS - STEP_DEFAULTS


def value_of_step_param(state: FlowState, step_id: str, name: str) -> Any:
    """The plain value of a param of another step.

    Raises:
        SelRuntimeError: there is no such step or param, or it is not evaluated yet.
    """
    if step_id not in state.graph.steps:
        raise SelRuntimeError(f"there is no step {preview(step_id)}{did_you_mean(step_id, state.graph.steps)}")
    params = params_of(state, step_id)
    if name in params:
        return params[name].plain
    if name in state.graph.steps[step_id].params:
        raise SelRuntimeError(
            f"param {name!r} of step {step_id!r} is not evaluated yet; a step can read params of the steps before it"
        )
    raise SelRuntimeError(f"step {step_id!r} has no param {name!r}{did_you_mean(name, params)}")
