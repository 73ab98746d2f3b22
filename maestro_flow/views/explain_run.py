"""Why a run is in its status: one sentence, made from its state and its surroundings. Pure.

The first cause that applies is named, in the order in which the engine meets them: the run has ended, waits for its
turn, is being ended, its steps run or wait; and whether a node holds its group.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from maestro_flow.core.holds import Interrupted, Paused, Permits, Ready, Retry
from maestro_flow.core.state import FlowState
from maestro_flow.model.definition import RunRule
from maestro_flow.model.status import RunStatus
from maestro_flow.views.explanation import Explanation, Surroundings
from maestro_flow.views.phrases import error_text, listed, names

__all__ = ["active_steps", "explain_run", "run_ended", "why_run", "with_owner"]


def explain_run(state: FlowState, around: Surroundings) -> Explanation:
    """Why the run is in its status."""
    why = why_run(state, around)
    return Explanation(f"run {state.flow_id} {why.sentence}", why.since)


def why_run(state: FlowState, around: Surroundings) -> Explanation:
    """The same, as a sentence without its subject."""
    if state.status.is_terminal:
        return Explanation(run_ended(state), state.ended_at)
    if state.status is RunStatus.CREATED:
        return with_owner(state, around, _queued(state, around), state.created_at)
    if state.ending is not None:
        left = names(active_steps(state)) or "its last record"
        return with_owner(
            state, around, f"is being ended ({state.ending_reason}), and waits for {left}", around.changed_at
        )
    parts = [f"{what} {listed(steps)}" for what, steps in _groups(state) if steps]
    return with_owner(
        state, around, f"is in progress: {'; '.join(parts) or 'its next decision is due'}", state.started_at
    )


def run_ended(state: FlowState) -> str:
    """How a run ended, and why, without its subject."""
    how = f"ended {state.status}"
    culprits = _culprits(state)
    error = next((error_text(state.steps[step_id]) for step_id in culprits if state.steps[step_id].error), "")
    if state.reason:
        how += f": {state.reason}"
    elif culprits:
        how += f" because of {names(culprits)}{error and f': {error}'}"
    if state.is_blocking and state.graph.definition.run_strategy.rule is RunRule.STRICT_SEQUENTIAL:
        how += "; the runs after it wait until it is unblocked or restarted"
    return how


def _culprits(state: FlowState) -> list[str]:
    """Steps of the run that are to blame for its status."""
    if state.status is RunStatus.SUCCEEDED:
        return []
    ended = ((step_id, step) for step_id, step in state.steps.items() if step_id not in state.carried)
    return [step_id for step_id, step in ended if step.status.run_status is state.status]


def _queued(state: FlowState, around: Surroundings) -> str:
    rule = state.graph.definition.run_strategy.rule
    if around.blocking:
        runs = names(around.blocking, "run")
        return f"waits for its turn under {rule}: {runs} failed, and blocks it until it is unblocked or restarted"
    if around.ahead:
        return f"waits for its turn under {rule}, behind {names(around.ahead, 'run')}"
    return "waits for its turn, which has come" if state.revision else "was started, and waits to be taken up"


def with_owner(state: FlowState, around: Surroundings, sentence: str, since: float | None) -> Explanation:
    """The sentence, with what is missing if no node can continue the run."""
    holder, group = around.holder, around.group_id
    if holder is None:
        return Explanation(f"{sentence}; and no node holds its group {group}: start one (maestro-flow node)", since)
    if holder.expires_at <= holder.now:
        who = holder.process or holder.owner_id
        lost = f"the lease of its owner ({who}) has expired, and no other node has taken group {group}"
        return Explanation(f"{sentence}; but {lost}", max(since or state.created_at, holder.expires_at))
    return Explanation(sentence, since)


def active_steps(state: FlowState) -> list[str]:
    """Ids of the steps with an attempt under way."""
    return [step_id for step_id, step in state.steps.items() if step.is_active]


def _groups(state: FlowState) -> Iterable[tuple[str, Collection[str]]]:
    """What the unfinished steps of a run do or wait for, most important first."""
    unsupported = state.steps.unsupported()
    return (
        ("under way:", [step_id for step_id in active_steps(state) if state.steps.hold(step_id) is None]),
        ("waiting for a retry:", sorted(state.steps.queue(Retry))),
        ("paused:", state.steps.queue(Paused)),
        ("waiting for permits:", state.steps.queue(Permits)),
        ("without their code:", [step_id for step_id in unsupported if state.steps.is_in(Ready, step_id)]),
        ("interrupted:", state.steps.queue(Interrupted)),
        ("waiting for a free slot:", [step_id for step_id in state.steps.queue(Ready) if step_id not in unsupported]),
    )
