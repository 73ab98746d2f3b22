"""Run strategies: which runs of a workflow begin now, and which end for the sake of another (Maestro: RunStrategy).

Pure, and a function of the live runs alone: after a takeover the same runs give the same answer, so nothing about a
queue is ever written. A decision looks at the ends of the queue and never walks it, unless it displaces what it walks.

===================  ==========================================  =====================================================
rule                 a queued run begins when                    what is displaced
===================  ==========================================  =====================================================
SEQUENTIAL           it is the first, and none is going on       nothing
STRICT_SEQUENTIAL    the same, and no failed run blocks          nothing
PARALLEL             it is the first, and fewer than             nothing
                     ``workflow_concurrency`` are going on
FIRST_ONLY           it is the first, and none is going on       every queued run beside the first or what goes on
LAST_ONLY            it is the newest, and none is going on      every other run, queued or going on
SERIAL_LATEST_ONLY   it is the newest queued, none is going on   every other queued run
===================  ==========================================  =====================================================

First and newest are meant in the order of instances, which no clock can disturb; a restart has the place of its
instance. A run goes on from its launch until it has ended, also while it is being ended.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from typing import NamedTuple

from attrs import frozen

from maestro_flow.model.definition import RunRule, RunStrategy

__all__ = ["Place", "Turn", "place_of", "turn"]


class Place(NamedTuple):
    """A live run and its place in the order of instances."""

    instance_id: int
    run_id: int
    flow_id: str


@frozen
class Turn:
    """What is to be done now: queued runs to launch, and live runs to displace, for ``reason``."""

    launch: tuple[Place, ...] = ()
    displace: tuple[Place, ...] = ()
    reason: str = ""


_NOTHING = Turn()


def turn(
    strategy: RunStrategy,
    queued: Sequence[Place],
    going: Collection[Place],
    ending: Collection[Place] = (),
    *,
    is_blocked: bool = False,
) -> Turn:
    """What the strategy asks for.

    ``queued`` is in order, without those that are displaced already; ``going`` are the runs that were launched,
    ``ending`` those among them that are being ended; ``is_blocked``: a failed run of the workflow still blocks.
    """
    match strategy.rule:
        case RunRule.STRICT_SEQUENTIAL if is_blocked:
            return _NOTHING
        case RunRule.SEQUENTIAL | RunRule.STRICT_SEQUENTIAL:
            return _first(queued, 1 - len(going))
        case RunRule.PARALLEL:
            limit = strategy.workflow_concurrency
            return _first(queued, len(queued) if limit is None else limit - len(going))
        case RunRule.FIRST_ONLY:
            return _first_only(queued, going)
        case RunRule.LAST_ONLY:
            return _last_only(queued, going, ending)
        case RunRule.SERIAL_LATEST_ONLY:
            return _serial_latest_only(queued, going)


def _first(queued: Sequence[Place], room: int) -> Turn:
    return Turn(launch=tuple(islice(queued, room))) if queued and room > 0 else _NOTHING


def _first_only(queued: Sequence[Place], going: Collection[Place]) -> Turn:
    if not queued:
        return _NOTHING
    first = min(going, default=queued[0])
    launch, displace = ((), queued) if going else (queued[:1], queued[1:])
    return Turn(tuple(launch), tuple(displace), _reason(RunRule.FIRST_ONLY, first, "has not ended"))


def _last_only(queued: Sequence[Place], going: Collection[Place], ending: Collection[Place]) -> Turn:
    staying = [place for place in going if place not in ending]
    newest = max(staying, default=None)
    if queued and (newest is None or newest < queued[-1]):
        newest = queued[-1]
    if newest is None:
        return _NOTHING
    others = tuple(place for place in (*queued, *sorted(staying)) if place != newest)
    launch = () if going else (newest,)
    return Turn(launch, others, _reason(RunRule.LAST_ONLY, newest, "is newer"))


def _serial_latest_only(queued: Sequence[Place], going: Collection[Place]) -> Turn:
    if not queued:
        return _NOTHING
    newest = queued[-1]
    launch = () if going else (newest,)
    return Turn(launch, tuple(queued[:-1]), _reason(RunRule.SERIAL_LATEST_ONLY, newest, "is newer"))


def _reason(rule: RunRule, place: Place, why: str) -> str:
    run = "" if place.run_id == 1 else f"run {place.run_id} of "
    return f"run strategy {rule}: {run}instance {place.instance_id} {why}"


def place_of(flow_id: str) -> Place:
    """The place of a run, which its flow id tells."""
    _, instance_id, run_id = flow_id.rsplit("/", 2)
    return Place(int(instance_id), int(run_id), flow_id)
