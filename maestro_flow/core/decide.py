"""``decide(state, inputs, now, capacity) -> Decision``: every decision of the engine. Start reading here.

Pure: no clock, no store, no threads. The flow's actor calls it with all inputs that arrived while its last commit was
in flight, writes the events, and only then carries out the effects (law 3). A decision never walks the graph:
``evolve`` counts which steps are ready. At the size limit of a commit, a decision stops and returns the remaining
inputs (``rest``), which are decided after that commit, from the state that it led to (PROTOCOL 9).

    decide ── takes the inputs one by one:
      │         run       the run's own life: queued, launched, displaced, loaded, handed over
      │         actions   actions of users, by the tables of model.actions
      │         attempts  how an attempt ends: outputs, conditions, retries, failure modes
      └── then what follows from all of them:
                advance   what can start, what must end
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from msgspec.structs import replace

from maestro_flow.core.actions import act
from maestro_flow.core.advance import advance, granted
from maestro_flow.core.attempts import began, progressed, report
from maestro_flow.core.draft import Decision, Draft
from maestro_flow.core.inputs import (
    Act,
    Began,
    Capacity,
    Displace,
    FinishRun,
    Granted,
    HandOver,
    Input,
    Launch,
    Load,
    Progressed,
    Report,
    Start,
    Tick,
)
from maestro_flow.core.run import displace, hand_over, launch, load, start
from maestro_flow.core.state import FlowState

__all__ = ["Decision", "decide"]


def decide(state: FlowState, inputs: Sequence[Input], now: float, capacity: Capacity) -> Decision:
    """Decide on all inputs together, at store time ``now``."""
    draft = Draft(state, max(now, state.at), capacity)
    rest = deque(inputs)
    while rest and not draft.is_full and take(draft, rest[0]):
        rest.popleft()
    advance(draft)
    if draft.is_full and not draft.state.status.is_terminal:
        rest.append(Tick())
    if draft.state.status.is_terminal and not rest:
        draft.effects.append(FinishRun(draft.state.status))
    if draft.events:
        draft.state = replace(draft.state, revision=state.revision + 1, at=draft.at)
    return Decision(
        draft.state,
        draft.at,
        tuple(draft.events),
        tuple(draft.effects),
        tuple(draft.settles),
        tuple(draft.sends),
        tuple(rest),
    )


def take(draft: Draft, given: Input) -> bool:
    """Handle one input; False if the commit was full before it was done: the next commit continues with it."""
    match given:
        case Report():
            report(draft, given)
        case Began():
            began(draft, given)
        case Progressed():
            progressed(draft, given)
        case Act():
            act(draft, given)
        case Granted():
            granted(draft, given)
        case Load():
            return load(draft, given)
        case HandOver():
            return hand_over(draft)
        case Start():
            start(draft, given)
        case Launch():
            launch(draft)
        case Displace():
            displace(draft, given)
        case Tick():
            pass  # ``advance`` finds what is due
    return True
