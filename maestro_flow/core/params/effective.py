"""The params that a step has now."""

from __future__ import annotations

from collections.abc import Mapping

from maestro_flow.core.state import FlowState
from maestro_flow.model.params import Param

__all__ = ["params_of"]


def params_of(state: FlowState, step_id: str) -> Mapping[str, Param]:
    """Literals of the definition, what was evaluated when the latest attempt began over them, its outputs over both.

    In the order of the definition. What has to be evaluated is missing before the step has begun.
    """
    definition = state.graph.steps[step_id]
    dynamic = state.graph.plans[step_id].dynamic
    step = state.steps.get(step_id)
    if step is None or not (step.params or step.outputs):
        if not dynamic:
            return definition.params
        return {name: param for name, param in definition.params.items() if name not in dynamic}
    made = {}
    for name, param in definition.params.items():
        if name in step.params:
            made[name] = step.params[name]
        elif name not in dynamic:
            made[name] = param
    return {**made, **step.params, **step.outputs}
