"""The params that a step has now."""

from __future__ import annotations

from collections.abc import Mapping

from maestro_flow.core.state import FlowState
from maestro_flow.model.params import Param

__all__ = ["params_of"]


def params_of(state: FlowState, step_id: str) -> Mapping[str, Param]:
    """Literals of the definition, overridden by what the latest attempt evaluated at its start, then by its outputs.

    In the order of the definition. Params that have to be evaluated are missing until the step has started.
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
