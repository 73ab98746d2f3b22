"""Placement of a run in a group: decided once, recorded in its entry, never computed again (PROTOCOL 19)."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from maestro_flow.model.definition import WorkflowDefinition

__all__ = ["place", "place_child", "place_run"]


def place(key: str, groups: Sequence[int]) -> int:
    """A group for the key. The same key and groups give the same group, in any process and version."""
    return groups[crc32(key.encode()) % len(groups)]


def place_run(definition: WorkflowDefinition, request_id: str, near: Sequence[int], group_count: int) -> int:
    """The group of a new run; ``near`` are the caller's preferred groups, of ``group_count``.

    Runs that must wait for each other are all in one group, whichever process starts them: its owner has the queue.
    """
    if definition.run_strategy.is_limited:
        return place(definition.id, range(group_count))
    return place(request_id, near)


def place_child(flow_id: str, parent_group: int, group_count: int, *, spread: bool = False) -> int:
    """The group of a loop's child: its parent's, unless the iterations are to be spread over all groups."""
    return place(flow_id, range(group_count)) if spread else parent_group
