"""One simulation: a phase with faults, a phase without, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from attrs import frozen

from maestro_flow.model.events import decode_events
from maestro_flow.model.flow_id import system_name
from maestro_flow.storage.memory import MemoryStorage
from maestro_flow.system.registry import SYSTEM_FLOWS
from tests.simulation.checks import check
from tests.simulation.users import Users
from tests.simulation.world import World

__all__ = ["Report", "play"]

SAFETY_S, LIVENESS_S = 60.0, 3600.0


@frozen
class Report:
    """Of one seed. ``problems`` is empty if all is well."""

    seed: int
    problems: list[str]
    digest: int
    mailbox_steps: int
    virtual_s: float
    drained_s: float
    """From the end of the faults until the last run has ended."""
    counts: dict[str, int]


def play(
    seed: int,
    show: Callable[[str], None] | None = None,
    store: Callable[..., MemoryStorage] = MemoryStorage,
) -> Report:
    """Simulate a seed; ``show`` is told what happens."""
    world = World(seed, show, store)
    users = Users(world)
    problems: list[str] = []
    drained_s = 0.0
    try:
        world.run(lambda: False, SAFETY_S * world.time.chance.choice([0.5, 1.0, 2.0]))
        world.make_peace()
        peace_at = world.time.now
        users.tidy_up()
        has_drained = world.run(lambda: is_drained(world, users), LIVENESS_S)
        drained_s = world.time.now - peace_at
        world.run(lambda: False, 30.0)
        problems = check(world, users, has_drained=has_drained)
        world.counts.update(happened(world))
    except AssertionError as error:
        problems.append(str(error))
    return Report(seed, problems, world.time.digest, world.mailbox_steps, world.time.now, drained_s, dict(world.counts))


def is_drained(world: World, users: Users) -> bool:
    """Every start is answered, and every run has ended."""
    if world.storage._pending or not users.are_answered:
        return False
    entries = world.storage._state.entries.values()
    return all(entry.status.is_terminal for entry in entries if not system_name(entry.flow_id))


def happened(world: World) -> Iterator[str]:
    """The log, event by event."""
    for group_id in range(world.storage.group_count):
        for record in world.storage.read_log(group_id, limit=1_000_000):
            system = SYSTEM_FLOWS.get(system_name(record.flow_id))
            events: Sequence[object] = system.codec.decode(record.events) if system else decode_events(record.events)
            yield from (f"event: {type(event).__name__}" for event in events)
