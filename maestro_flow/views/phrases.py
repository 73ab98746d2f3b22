"""Parts of the sentences of explanations."""

from __future__ import annotations

from collections.abc import Collection

from maestro_flow.core.state import FlowState
from maestro_flow.core.steps import StepState

__all__ = ["error_text", "listed", "names", "states"]

_NAMES_MAX = 5
_ERROR_CHARS_MAX = 300


def states(state: FlowState, step_ids: Collection[str]) -> str:
    """Steps with their statuses."""
    return listed([f"step {step_id}, which is {state.status_of(step_id)}" for step_id in step_ids])


def names(ids: Collection[str], what: str = "step") -> str:
    """``step a``, ``steps a, b``; "" for none."""
    if not ids:
        return ""
    return f"{what}{'s' if len(ids) > 1 else ''} {listed(list(ids))}"


def listed(words: Collection[str]) -> str:
    """The first few, and how many more there are."""
    shown = list(words)[:_NAMES_MAX]
    more = len(words) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def error_text(step: StepState) -> str:
    """The error of the latest attempt on one line, truncated; "" for none."""
    if step.error is None:
        return ""
    text = " ".join(f"{step.error.type}: {step.error.message}".split())
    return text if len(text) <= _ERROR_CHARS_MAX else f"{text[:_ERROR_CHARS_MAX]}..."
