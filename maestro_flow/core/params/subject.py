"""Whom an error about params is about, in words."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from attrs import frozen

from maestro_flow.core.params.casts import shown
from maestro_flow.core.state import FlowState
from maestro_flow.errors import ParamError
from maestro_flow.model.params import Param

__all__ = ["Subject", "guess"]


@frozen
class Subject:
    """A run, or a step of it, that has params."""

    workflow_id: str
    instance_id: int = 0
    run_id: int = 0
    step_id: str | None = None

    @classmethod
    def of(cls, state: FlowState, step_id: str | None = None) -> Subject:
        return cls(state.graph.definition.id, state.instance_id, state.run_id, step_id)

    def __str__(self) -> str:
        parts = [f"workflow {self.workflow_id!r}"]
        if self.instance_id:
            parts.append(f"instance {self.instance_id}, run {self.run_id}")
        if self.step_id is not None:
            parts.append(f"step {self.step_id!r}")
        return ", ".join(parts)

    def error(self, problem: str) -> ParamError:
        """To be raised."""
        return ParamError(f"{self}: {problem}")

    def of_param(self, path: str, param: Param, problem: str) -> ParamError:
        """What is wrong with a param, or with an entry of one: ``path`` is ``name`` or ``name.entry``."""
        given = "" if param.expression is None else f", expression {shown(param.expression)}"
        return self.error(f"param {path!r} ({param.type}{given}): {problem}")


def guess(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` when a known word is like this one, otherwise ""."""
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(word[:200].lower(), by_lower, n=1)
    return f" (did you mean {by_lower[near[0]]!r}?)" if near else ""
