"""The functions of ``params`` in expressions that read more than params (Maestro: MaestroParamExtension.java)."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from attrs import define

from maestro_flow.core.params.defaults import step_instance_uuid
from maestro_flow.core.params.messages import did_you_mean, preview
from maestro_flow.core.params.outer_scope import value_of_step_param
from maestro_flow.core.state import FlowState
from maestro_flow.errors import SelRuntimeError
from maestro_flow.model.status import StepStatus

__all__ = ["RunFunctions"]

_STATUS, _END_TIME = "MAESTRO_STEP_STATUS", "MAESTRO_STEP_END_TIME"
_ENVIRONMENT = "maestro-flow"
_MISSING = {
    "getFromForeach": "foreach steps",
    "getFromSignal": "signals",
    "getFromSignalDependency": "signals",
    "getFromSignalOrDefault": "signals",
    "getFromSubworkflow": "subworkflow steps",
}


@define
class RunFunctions:
    """The functions for one scope. The n-th unique id is the same each time the scope is evaluated."""

    state: FlowState
    step_id: str | None
    attempt: int
    _ids: int = 0

    def call(self, function: str, arguments: tuple[str, ...]) -> object:
        """The value of a function.

        Raises:
            SelRuntimeError: it has none.
        """
        match function, arguments:
            case "getFromInstance", (field,):
                return self._of_instance(field)
            case "getFromStep", (field,):
                return self._of_this_step(field)
            case "getFromStep", (step_id, name):
                return self._of_step(step_id, name)
            case "getExecutionEnvironment", ():
                return _ENVIRONMENT
            case "nextUniqueId", ():
                return self._next_id()
        raise SelRuntimeError(f"params.{function}: this version does not support {_MISSING[function]}")

    def _of_instance(self, field: str) -> object:
        definition, state = self.state.graph.definition, self.state
        fields: dict[str, object] = {
            "workflow_id": definition.id,
            "workflow_instance_id": state.instance_id,
            "workflow_run_id": state.run_id,
            "owner": definition.owner,
            "RUN_POLICY": str(state.request.policy),
            "INITIATOR_TYPE": "MANUAL",
            "INITIATOR_RUNNER_NAME": "",
            "INITIATOR_TIMEZONE": "",
            "FIRST_TIME_TRIGGER_TIMEZONE": "",
        }
        return _field("params.getFromInstance", fields, field)

    def _of_this_step(self, field: str) -> object:
        if self.step_id is None:
            raise SelRuntimeError(
                f"params.getFromStep({preview(field)}): a param of the workflow does not belong to a step"
            )
        step = self.state.graph.steps[self.step_id]
        fields: dict[str, object] = {
            "step_id": self.step_id,
            "step_attempt_id": self.attempt,
            "step_instance_uuid": step_instance_uuid(self.state.flow_id, self.step_id, self.attempt),
            "step_type_info": step.type,
        }
        if field in (_STATUS, _END_TIME):
            return self._progress(self.step_id, field)
        return _field("params.getFromStep", fields, field)

    def _of_step(self, step_id: str, name: str) -> Any:
        if name in (_STATUS, _END_TIME):
            return self._progress(step_id, name)
        return value_of_step_param(self.state, step_id, name)

    def _progress(self, step_id: str, field: str) -> object:
        if step_id not in self.state.graph.steps:
            raise SelRuntimeError(f"there is no step {preview(step_id)}{did_you_mean(step_id, self.state.graph.steps)}")
        step = self.state.steps.get(step_id)
        if field == _STATUS:
            return str(StepStatus.NOT_CREATED if step is None else step.status)
        if step is None or step.ended_at is None:
            raise SelRuntimeError(f"step {step_id!r} has not ended yet: it has no {_END_TIME}")
        return round(step.ended_at * 1000)

    def _next_id(self) -> int:
        self._ids += 1
        key = f"{self.state.flow_id}/{self.step_id or ''}/{self.attempt}/{self._ids}"
        return int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) >> 1


def _field(function: str, fields: dict[str, object], name: str) -> object:
    if name not in fields:
        raise SelRuntimeError(
            f"{function}: there is no field {preview(name)}{did_you_mean(name, fields)}; "
            f"the fields are {', '.join(fields)}"
        )
    return fields[name]
