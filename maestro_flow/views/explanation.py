"""Why a run or a step is as it is: one sentence, made from the state and what is known of its surroundings.

Pure: what the state cannot tell (who holds the group, which runs are before it) is gathered by ``engine.explaining``.
The questions are asked in the order in which the engine would be held up by them: is the run under way, is the step
part of it, did it end, does it run, what does it wait for (``core.holds``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from attrs import Factory, frozen

from maestro_flow.core.holds import Interrupted, Paused, Permits, Ready, Retry, Unsupported
from maestro_flow.core.state import FlowState
from maestro_flow.core.steps import StepState
from maestro_flow.model.definition import RunRule
from maestro_flow.model.leases import Holder
from maestro_flow.model.status import RunStatus, StepStatus
from maestro_flow.views.times import iso_time

__all__ = ["Explanation", "Surroundings", "explain_run", "explain_step"]

_NAMES_MAX = 5
_ERROR_CHARS_MAX = 300


@frozen
class Explanation:
    """Why, and since when: seconds since the epoch, or None where that is not recorded."""

    sentence: str
    since: float | None = None


@frozen
class Surroundings:
    """What the state does not know. ``group_id`` is the run's; ``holder`` is None if nobody holds it.

    ``ahead`` are the live runs of the workflow before this one, ``blocking`` those that have failed and block it;
    ``changed_at`` is the time of the last record about the step, or of the run. ``tags`` has, of tags with permits, the
    limit that a user has set (None: that of the definition counts) and how many permits are taken.
    """

    group_id: int
    holder: Holder | None
    ahead: tuple[str, ...] = ()
    blocking: tuple[str, ...] = ()
    changed_at: float | None = None
    tags: Mapping[str, tuple[int | None, int]] = Factory(dict)


def explain_run(state: FlowState, around: Surroundings) -> Explanation:
    """Why the run is in its status."""
    why = _run(state, around)
    return Explanation(f"run {state.flow_id} {why.sentence}", why.since)


def explain_step(state: FlowState, step_id: str, around: Surroundings) -> Explanation:
    """Why the step, which is one of the graph, is in its status."""
    why = _step(state, step_id, around)
    return Explanation(f"step {step_id} of run {state.flow_id} {why.sentence}", why.since)


def _run(state: FlowState, around: Surroundings) -> Explanation:
    if state.status.is_terminal:
        return Explanation(_run_ended(state), state.ended_at)
    if state.status is RunStatus.CREATED:
        return _owned(state, around, _queued(state, around), state.created_at)
    if state.ending is not None:
        left = _names(_active(state)) or "its last record"
        return _owned(state, around, f"is being ended ({state.ending_reason}), and waits for {left}", around.changed_at)
    parts = [f"{what} {_listed(steps)}" for what, steps in _groups(state) if steps]
    return _owned(state, around, f"goes on: {'; '.join(parts) or 'its next decision is due'}", state.started_at)


def _step(state: FlowState, step_id: str, around: Surroundings) -> Explanation:
    step = state.steps.get(step_id)
    if step_id in state.carried:
        return _carried(state, step_id)
    if step is not None and step.status.is_terminal and not state.steps.is_in(Retry, step_id):
        return Explanation(_step_ended(state, step_id, step), step.ended_at)
    if state.status.is_terminal:
        return Explanation(_never_began(state, step_id), state.ended_at)
    if state.status is RunStatus.CREATED:
        run = _run(state, around)
        return Explanation(f"has not begun, because its run {run.sentence}", run.since)
    if step is not None and step.is_active:
        sentence, since = _active_step(state, step_id, step)
    else:
        sentence, since = _waiting(state, step_id, step, around)
    return _owned(state, around, sentence, around.changed_at if since is None else since)


# -- runs -------------------------------------------------------------------------------------------------------


def _run_ended(state: FlowState) -> str:
    how = f"ended {state.status}"
    culprits = _culprits(state)
    error = next((_error(state.steps[step_id]) for step_id in culprits if state.steps[step_id].error), "")
    if state.reason:
        how += f": {state.reason}"
    elif culprits:
        how += f" because of {_names(culprits)}{error and f': {error}'}"
    if state.is_blocking and state.graph.definition.run_strategy.rule is RunRule.STRICT_SEQUENTIAL:
        how += "; the runs after it wait until it is unblocked or restarted"
    return how


def _culprits(state: FlowState) -> list[str]:
    """Steps of the run that make it end as it did, if that is not well."""
    if state.status is RunStatus.SUCCEEDED:
        return []
    ended = ((step_id, step) for step_id, step in state.steps.items() if step_id not in state.carried)
    return [step_id for step_id, step in ended if step.status.run_status is state.status]


def _queued(state: FlowState, around: Surroundings) -> str:
    rule = state.graph.definition.run_strategy.rule
    if around.blocking:
        runs = _names(around.blocking, "run")
        return f"waits for its turn under {rule}: {runs} failed, and blocks it until somebody unblocks or restarts it"
    if around.ahead:
        return f"waits for its turn under {rule}, behind {_names(around.ahead, 'run')}"
    return "waits for its turn, which has come" if state.revision else "was started, and waits to be taken up"


def _owned(state: FlowState, around: Surroundings, sentence: str, since: float | None) -> Explanation:
    """The same; unless nobody can make it go on, which is then what there is to say."""
    holder, group = around.holder, around.group_id
    if holder is None:
        return Explanation(f"{sentence}; and no node holds its group {group}: start one (maestro-flow node)", since)
    if holder.expires_at <= holder.now:
        who = holder.process or holder.owner_id
        lost = f"the lease of its owner ({who}) has expired, and no other node has taken group {group}"
        return Explanation(f"{sentence}; but {lost}", max(since or state.created_at, holder.expires_at))
    return Explanation(sentence, since)


def _active(state: FlowState) -> list[str]:
    return [step_id for step_id, step in state.steps.items() if step.is_active]


def _groups(state: FlowState) -> Iterable[tuple[str, Collection[str]]]:
    """What the unfinished steps of a run do or wait for, what matters most first."""
    unsupported = state.steps.unsupported()
    return (
        ("under way:", [step_id for step_id in _active(state) if state.steps.hold(step_id) is None]),
        ("waiting for a retry:", sorted(state.steps.queue(Retry))),
        ("paused:", state.steps.queue(Paused)),
        ("waiting for permits:", state.steps.queue(Permits)),
        ("without their code:", [step_id for step_id in unsupported if state.steps.is_in(Ready, step_id)]),
        ("interrupted:", state.steps.queue(Interrupted)),
        ("waiting for room:", [step_id for step_id in state.steps.queue(Ready) if step_id not in unsupported]),
    )


# -- steps that have ended, or never will begin -----------------------------------------------------------------


def _carried(state: FlowState, step_id: str) -> Explanation:
    here = state
    while step_id in here.carried and here.previous is not None:
        here = here.previous
    step = here.steps.get(step_id)
    status = here.status_of(step_id)
    since = None if step is None else step.ended_at
    return Explanation(f"is not part of this run: it is {status}, as run {here.run_id} has left it", since)


def _step_ended(state: FlowState, step_id: str, step: StepState) -> str:
    error = _error(step)
    match step.status:
        case StepStatus.SUCCEEDED:
            began = step.starting_at if step.began_at is None else step.began_at
            took = "" if began is None or step.ended_at is None else f", in {step.ended_at - began:.3f} s"
            return f"succeeded with attempt {step.attempt}{took}"
        case StepStatus.UNSATISFIED:
            return f"is not run, because no condition to it is true: {_conditions(state, step_id)}"
        case StepStatus.SKIPPED:
            by = "the restart" if step_id in state.request.skip_steps else "a user"
            return f"was skipped by {by}"
        case StepStatus.COMPLETED_WITH_ERROR:
            return f"failed, which its failure mode ignores{error and f': {error}'}"
        case StepStatus.STOPPED | StepStatus.TIMED_OUT | StepStatus.FATALLY_FAILED if state.ending is step.status:
            return f"ended {step.status} with its run: {state.ending_reason}"
        case _:
            return f"ended {step.status} with attempt {step.attempt}{error and f': {error}'}"


def _never_began(state: FlowState, step_id: str) -> str:
    if culprits := _failed_before(state, step_id):
        return f"was not created, because {_states(state, culprits)}"
    return f"was not begun before its run {_run_ended(state)}"


def _conditions(state: FlowState, step_id: str) -> str:
    """The condition on each edge to a step, and what it came to."""
    found = []
    for before in _predecessors(state, step_id):
        condition = state.graph.steps[before].successors[step_id]
        status = state.status_of(before)
        if status is StepStatus.UNSATISFIED:
            found.append(f"{before} is UNSATISFIED")
        else:
            text = str(condition).lower() if isinstance(condition, bool) else repr(condition)
            found.append(f"from {before}, {text}")
    return _listed(found)


# -- steps that run ---------------------------------------------------------------------------------------------


def _active_step(state: FlowState, step_id: str, step: StepState) -> tuple[str, float | None]:
    attempt = f"attempt {step.attempt}"
    if step.execution > 1:
        attempt += f" (execution {step.execution}{_crashes(step)})"
    ending = step.ending or state.ending
    hold = state.steps.hold(step_id)
    if hold is not None:
        lacks = "the code of its type, which its owner does not have"
        missing = lacks if isinstance(hold, Unsupported) else "room to run again"
        return f"{attempt} was interrupted with the process that ran it, and waits for {missing}", None
    since = step.starting_at if step.began_at is None else step.began_at
    if ending is not None:
        return f"{attempt} is being terminated, to end as {ending}", None
    limit = "" if step.timeout_s is None else f", for {step.timeout_s:g} s at most"
    return f"{attempt} is under way{limit}", since


def _crashes(step: StepState) -> str:
    if not step.crashes:
        return ""
    times = "once" if step.crashes == 1 else f"{step.crashes} times"
    return f"; the process that ran it died {times}"


# -- steps that wait --------------------------------------------------------------------------------------------


def _waiting(state: FlowState, step_id: str, step: StepState | None, around: Surroundings) -> tuple[str, float | None]:
    match state.steps.hold(step_id):
        case Retry() if step is not None:
            at = iso_time(state.steps.retry_at(step_id), timespec="seconds")
            return f"waits for attempt {step.attempt + 1} at {at}, after {step.status}: {_error(step)}", step.ended_at
        case Paused():
            why = "at its breakpoint" if step_id in state.breakpoints else "by a user"
            return f"is paused {why}, until somebody resumes it", None
        case Permits() if step is not None:
            tags = _listed([_tag(tag, limit, around) for tag, limit in sorted(step.permits.items())])
            return f"waits for permits of {tags}", None
        case Unsupported():
            kind = state.graph.steps[step_id].type
            owner = "" if around.holder is None else f" ({around.holder.process or around.holder.owner_id})"
            return f"waits for the code of its type {kind!r}, which the owner of the run{owner} does not have", None
        case Ready():
            return _ready(state, step_id)
        case _:
            return _before_its_turn(state, step_id)


def _before_its_turn(state: FlowState, step_id: str) -> tuple[str, float | None]:
    if culprits := _failed_before(state, step_id):
        return f"cannot begin, because {_states(state, culprits)}; restart or skip that", None
    incomplete = [before for before in _predecessors(state, step_id) if not state.status_of(before).is_complete]
    return f"waits for {_states(state, incomplete)}", state.started_at


def _ready(state: FlowState, step_id: str) -> tuple[str, float | None]:
    ended = [state.steps[before].ended_at for before in _predecessors(state, step_id) if before in state.steps]
    since = max((at for at in ended if at is not None), default=state.started_at)
    limit = state.graph.definition.instance_step_concurrency
    if limit is not None and state.active >= limit:
        busy = _names(_active(state))
        return f"waits for its turn: instance_step_concurrency is {limit}, and under way are {busy}", since
    return "waits for room on the node that owns the run", since


def _tag(tag: str, limit: int, around: Surroundings) -> str:
    """A tag with how many of its permits are taken, where that is known."""
    if tag not in around.tags:
        return f"{tag} (at most {limit} at once)"
    set_by_user, taken = around.tags[tag]
    return f"{tag} ({taken} of {limit if set_by_user is None else set_by_user} taken)"


# -- words ------------------------------------------------------------------------------------------------------


def _predecessors(state: FlowState, step_id: str) -> list[str]:
    return [step.id for step in state.graph.definition.steps if step_id in step.successors]


def _failed_before(state: FlowState, step_id: str) -> list[str]:
    """Steps before this one, near or far, that have ended and let nothing go on."""
    before: dict[str, list[str]] = {}
    for step in state.graph.definition.steps:
        for successor in step.successors:
            before.setdefault(successor, []).append(step.id)
    found, seen, waiting = [], {step_id}, [step_id]
    while waiting:
        for other in before.get(waiting.pop(), ()):
            if other in seen:
                continue
            seen.add(other)
            status = state.status_of(other)
            if status.is_terminal and not status.is_complete and not state.steps.is_in(Retry, other):
                found.append(other)
            elif not status.is_complete:
                waiting.append(other)
    return [each for each in state.graph.steps if each in found]


def _states(state: FlowState, step_ids: Collection[str]) -> str:
    return _listed([f"step {step_id}, which is {state.status_of(step_id)}" for step_id in step_ids])


def _names(ids: Collection[str], what: str = "step") -> str:
    if not ids:
        return ""
    return f"{what}{'s' if len(ids) > 1 else ''} {_listed(list(ids))}"


def _listed(words: Collection[str]) -> str:
    """The first few of them, and how many more there are."""
    shown = list(words)[:_NAMES_MAX]
    more = len(words) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _error(step: StepState) -> str:
    if step.error is None:
        return ""
    text = " ".join(f"{step.error.type}: {step.error.message}".split())
    return text if len(text) <= _ERROR_CHARS_MAX else f"{text[:_ERROR_CHARS_MAX]}..."
