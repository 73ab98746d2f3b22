"""``decide(state, inputs, now, capacity) -> Decision``: all of the engine's judgement. Start reading here.

Pure: no clock, no store, no threads. The flow's actor calls it with everything that came in while its last commit was
under way, writes the events, and only then carries out the effects (law 3). A decision never walks the graph: what is
ready is counted by ``evolve``. One that reaches the size limit of a commit stops there and names what is left
(``rest``), which is decided after that commit, from what is then written (PROTOCOL 9).

    decide ── takes the inputs one by one:
      │         run       the run's own life: queued, launched, displaced, loaded, handed over
      │         actions   what users ask for, by the tables of model.actions
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
    """What follows from the inputs, taken together, at store time ``now``."""
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
    """Judge one input; False if the commit was full before that was done: the next commit continues with it."""
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
            pass  # what is due is found in ``advance``
    return True
