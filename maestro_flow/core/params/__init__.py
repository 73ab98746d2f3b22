"""Stub until helper PARAMS merges."""

from __future__ import annotations

from typing import Any


class Evaluation:
    def __init__(self, at: float, visits_max: int) -> None:
        self.is_spent = False

    def run_params(self, state: Any, request: Any) -> Any:
        return dict(state.graph.definition.params) | request.params

    def run_timeout(self, state: Any, params: Any) -> Any:
        return state.graph.definition.timeout_s

    def step_params(self, state: Any, step_id: str, attempt: int) -> Any:
        return {}

    def step_timeout(self, state: Any, step_id: str, params: Any) -> Any:
        return None

    def retry_policy(self, state: Any, step_id: str) -> Any:
        return state.graph.steps[step_id].retry_policy

    def branches(self, state: Any, step_id: str, outputs: Any, result: Any) -> Any:
        return {}

    def outputs(self, state: Any, step_id: str, given: Any) -> Any:
        return given
