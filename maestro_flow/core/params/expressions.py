"""SEL for params and conditions: with one budget of visits, a fixed time, and a seeded source of randomness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define

from maestro_flow.clock import Environment
from maestro_flow.errors import SelError
from maestro_flow.sel import ParamFunctions, Visits, evaluate

__all__ = ["Budget", "Expressions", "NeedsParam"]


class NeedsParam(SelError):
    """A signal, not a failure: the evaluation reads the param ``name`` of its own scope, to be evaluated first."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"param {name!r} is not evaluated yet")


@define
class Budget:
    """Visits that all evaluations of one decision have taken, and how many one scope may take."""

    visits_max: int
    spent: int = 0

    @property
    def is_spent(self) -> bool:
        return self.spent >= self.visits_max


class Expressions:
    """Evaluates the expressions of one scope. The n-th always sees the same time and the same random numbers."""

    def __init__(self, functions: ParamFunctions, budget: Budget, at: float, seed: str) -> None:
        self._functions, self._budget, self._at, self._seed = functions, budget, at, seed
        self._visits = Visits(budget.visits_max)
        self._environment: Environment | None = None

    def value(self, source: str, names: Mapping[str, object]) -> Any:
        """The value of an expression that reads ``names``.

        Raises:
            SelError: the expression has no value.
            NeedsParam: ``names`` raised it.
        """
        if self._environment is None:
            self._environment = Environment.fixed(self._at, self._seed)
        before = self._visits.left
        try:
            return evaluate(
                source, names, functions=self._functions, environment=self._environment, visits=self._visits
            )
        finally:
            self._budget.spent += before - self._visits.left
