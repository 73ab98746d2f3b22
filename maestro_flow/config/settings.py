"""Every setting of a node, with its unit, its default and the reason for it (law 8).

``configuration`` defines where their values come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Attribute, field, frozen

from maestro_flow.errors import SettingsError

__all__ = ["Settings"]

_EXPECTED = {float: "a number", int: "a whole number", str: "a text"}
_GREATEST = 1_000_000_000
"""The upper bound of every number: 30 years, a gigabyte. More is a mistake; infinity would break waits and leases."""


def _setting(
    default: float | str, reason: str, *, least: float | None = None, one_of: tuple[str, ...] | None = None
) -> Any:
    def problem(value: object) -> str:
        """What is wrong with a value; empty if it is legal."""
        kinds = (int, float) if isinstance(default, float) else type(default)
        if isinstance(value, bool) or not isinstance(value, kinds):
            return f"expected {_EXPECTED[type(default)]}"
        if one_of is not None and value not in one_of:
            return f"expected {' or '.join(one_of)}"
        if least is not None and not least <= value <= _GREATEST:  # type: ignore[operator]  # numbers have a least
            return f"must be at least {least:g} and at most {_GREATEST:,}"
        return ""

    def check(_settings: Settings, attribute: Attribute[Any], value: object) -> None:
        if found := problem(value):
            raise SettingsError(f"setting {attribute.name}={value!r}: {found}")

    return field(default=default, validator=check, metadata={"reason": reason, "problem": problem})


def _tables(reason: str) -> Any:
    """A table for each plugin, whose keys are the plugin's own; what is in them is never shown."""

    def problem(value: object) -> str:
        if isinstance(value, Mapping) and all(isinstance(table, Mapping) for table in value.values()):
            return ""
        return "expected a table for each name, with settings in it"

    def check(_settings: Settings, attribute: Attribute[Any], value: object) -> None:
        if found := problem(value):
            raise SettingsError(f"setting {attribute.name}: {found}")

    metadata = {"reason": reason, "problem": problem, "is_table": True}
    return field(factory=dict, validator=check, repr=False, metadata=metadata)


@frozen
class Settings:
    """Names end in their unit: ``_s`` seconds, ``_bytes_max`` bytes, ``_max`` a count."""

    runtime: str = _setting(
        "pooled", "pooled; threaded (a thread per actor) for debugging", one_of=("pooled", "threaded")
    )
    lease_s: float = _setting(
        10.0,
        "until the groups of a dead or frozen process can be taken over; renewed four times in this time",
        least=0.1,
    )
    scan_s: float = _setting(
        1.0, "one query for expired groups, messages and starts of others; at most a quarter of the lease", least=0.01
    )
    executor_threads: int = _setting(
        32, "steps whose code can wait at the same time; computing is bound by the interpreter lock", least=1
    )
    executor_queue_max: int = _setting(
        1000,
        "attempts queued for the threads: enough that none is idle, few enough that a crash leaves few suspects",
        least=1,
    )
    suspects_max: int = _setting(4, "interrupted attempts that are started at once after a crash", least=1)
    expression_visits_max: int = _setting(
        250_000, "of one decision: expressions are evaluated between two commits, and other flows wait", least=1000
    )
    crashes_max: int = _setting(
        3, "crashes of the process while an attempt was running, before the attempt is given up", least=1
    )
    deliveries_max: int = _setting(
        5, "owners that may fail to handle a message before it becomes a dead letter", least=1
    )
    reloads_max: int = _setting(5, "times that a defective flow is loaded again before it is parked", least=0)
    poll_s: float = _setting(
        3.0, "between calls of a step that continues, unless the step says otherwise (Maestro: 3)", least=0.001
    )
    announce_s: float = _setting(1.0, "an attempt that runs this long is recorded as RUNNING", least=0.01)
    progress_s: float = _setting(
        5.0, "between records of what a step reports by context.progress: each is a commit", least=0.01
    )
    terminate_grace_s: float = _setting(
        10.0, "for a step's terminate method; then the attempt ends without it", least=0.0
    )
    drain_s: float = _setting(
        10.0, "for running steps to end in a group that moves to another node; then they are handed over", least=0.0
    )
    move_s: float = _setting(
        2.0, "a group stays at least this long before it moves to a node with the code its steps wait for", least=0.0
    )
    handover_s: float = _setting(5.0, "for recording the running attempts when a node closes", least=0.0)
    result_bytes_max: int = _setting(1024 * 1024, "size of one step's result: results are held in memory", least=1)
    commit_events_max: int = _setting(200, "events in one commit; a larger decision is split", least=1)
    commit_bytes_max: int = _setting(
        4 * 1024 * 1024, "results in one commit; a larger decision is split, with at least one result in each", least=1
    )
    batch_max: int = _setting(1024, "commits written in one transaction", least=1)
    tombstones_s: float = _setting(86_400.0, "how long the outcome of a message can be read (PROTOCOL 16)", least=1.0)

    step_types: Mapping[str, Mapping[str, Any]] = _tables("passed to the open method of each step type, by its name")
    executors: Mapping[str, Mapping[str, Any]] = _tables("passed to each executor, by its name")

    @property
    def renewal_s(self) -> float:
        """Between renewals: a lease survives three that fail (PROTOCOL 13)."""
        return self.lease_s / 4

    @property
    def scan_interval_s(self) -> float:
        """Between scans, each of which may also renew."""
        return min(self.scan_s, self.renewal_s)
