"""Which run or step an error about params concerns, in words."""

from __future__ import annotations

from attrs import frozen

from maestro_flow.core.params.messages import preview
from maestro_flow.core.state import FlowState
from maestro_flow.errors import ParamError
from maestro_flow.model.flow_id import FlowId
from maestro_flow.model.params import Param

__all__ = ["ErrorContext"]


@frozen
class ErrorContext:
    """A run or a step, as errors about its params name it."""

    flow_id: str
    step_id: str | None = None

    @classmethod
    def of(cls, state: FlowState, step_id: str | None = None) -> ErrorContext:
        return cls(state.flow_id, step_id)

    def __str__(self) -> str:
        run = FlowId.parse(self.flow_id)
        parts = [f"workflow {run.workflow_id!r}", f"instance {run.instance_id}", f"run {run.run_id}"]
        if self.step_id is not None:
            parts.append(f"step {self.step_id!r}")
        return ", ".join(parts)

    def error(self, problem: str) -> ParamError:
        """An error to raise."""
        return ParamError(f"{self}: {problem}")

    def param_error(self, path: str, param: Param, problem: str) -> ParamError:
        """An error about a param, or about an entry of one: ``path`` is ``name`` or ``name.entry``."""
        source = "" if param.expression is None else f", expression {preview(param.expression)}"
        return self.error(f"param {path!r} ({param.type}{source}): {problem}")
