"""Run strategies: which runs of a workflow begin now, and which end in favour of another (Maestro: RunStrategy).

Pure, and a function of the live runs alone: after a takeover the same runs give the same answer, so nothing about a
queue is ever written. A decision looks at the ends of the queue and only walks over runs that it displaces.

===================  =======================================  ======================================================
rule                 a queued run begins when                 what is displaced
===================  =======================================  ======================================================
SEQUENTIAL           it is the first, and none is active      nothing
STRICT_SEQUENTIAL    the same, and no failed run blocks       nothing
PARALLEL             it is the first, and fewer than          nothing
                     ``workflow_concurrency`` are active
FIRST_ONLY           it is the first, and none is active      every queued run, except the first if none is active
LAST_ONLY            it is the newest, and none is active     every other run, queued or active
SERIAL_LATEST_ONLY   it is the newest queued, none is active  every other queued run
===================  =======================================  ======================================================

First and newest refer to the order of instances, which no clock can disturb; a restart takes the position of its
instance. A run is active from its launch until it has ended, including while it is being ended.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from typing import NamedTuple

from attrs import frozen

from maestro_flow.model.definition import RunRule, RunStrategy
from maestro_flow.model.flow_id import FlowId

__all__ = ["LiveRun", "Turn", "turn"]


class LiveRun(NamedTuple):
    """A run that has not ended; sorts in the order of instances."""

    instance_id: int
    run_id: int
    flow_id: str

    @classmethod
    def of(cls, flow_id: str) -> LiveRun:
        """The run with this id."""
        parsed = FlowId.parse(flow_id)
        return cls(parsed.instance_id, parsed.run_id, flow_id)


@frozen
class Turn:
    """What to do now: queued runs to launch, and live runs to displace, for ``reason``."""

    launch: tuple[LiveRun, ...] = ()
    displace: tuple[LiveRun, ...] = ()
    reason: str = ""


_NOTHING = Turn()


def turn(
    strategy: RunStrategy,
    queued: Sequence[LiveRun],
    active: Collection[LiveRun],
    ending: Collection[LiveRun] = (),
    *,
    is_blocked: bool = False,
) -> Turn:
    """What the strategy requires.

    ``queued`` is in order, without those already displaced; ``active`` are the launched runs, ``ending`` those of them
    that are being ended; ``is_blocked``: a failed run of the workflow still blocks.
    """
    match strategy.rule:
        case RunRule.STRICT_SEQUENTIAL if is_blocked:
            return _NOTHING
        case RunRule.SEQUENTIAL | RunRule.STRICT_SEQUENTIAL:
            return _first(queued, 1 - len(active))
        case RunRule.PARALLEL:
            limit = strategy.workflow_concurrency
            return _first(queued, len(queued) if limit is None else limit - len(active))
        case RunRule.FIRST_ONLY:
            return _first_only(queued, active)
        case RunRule.LAST_ONLY:
            return _last_only(queued, active, ending)
        case RunRule.SERIAL_LATEST_ONLY:
            return _serial_latest_only(queued, active)


def _first(queued: Sequence[LiveRun], room: int) -> Turn:
    return Turn(launch=tuple(islice(queued, room))) if queued and room > 0 else _NOTHING


def _first_only(queued: Sequence[LiveRun], active: Collection[LiveRun]) -> Turn:
    if not queued:
        return _NOTHING
    first = min(active, default=queued[0])
    launch, displace = ((), queued) if active else (queued[:1], queued[1:])
    return Turn(tuple(launch), tuple(displace), _reason(RunRule.FIRST_ONLY, first, "has not ended"))


def _last_only(queued: Sequence[LiveRun], active: Collection[LiveRun], ending: Collection[LiveRun]) -> Turn:
    staying = [run for run in active if run not in ending]
    newest = max(staying, default=None)
    if queued and (newest is None or newest < queued[-1]):
        newest = queued[-1]
    if newest is None:
        return _NOTHING
    others = tuple(run for run in (*queued, *sorted(staying)) if run != newest)
    launch = () if active else (newest,)
    return Turn(launch, others, _reason(RunRule.LAST_ONLY, newest, "is newer"))


def _serial_latest_only(queued: Sequence[LiveRun], active: Collection[LiveRun]) -> Turn:
    if not queued:
        return _NOTHING
    newest = queued[-1]
    launch = () if active else (newest,)
    return Turn(launch, tuple(queued[:-1]), _reason(RunRule.SERIAL_LATEST_ONLY, newest, "is newer"))


def _reason(rule: RunRule, run: LiveRun, why: str) -> str:
    which = "" if run.run_id == 1 else f"run {run.run_id} of "
    return f"run strategy {rule}: {which}instance {run.instance_id} {why}"
