"""An explanation, and the facts it needs beside the state of a run."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import Factory, frozen

from maestro_flow.model.leases import Holder

__all__ = ["Explanation", "Surroundings"]


@frozen
class Explanation:
    """Why, and since when: seconds since the epoch, or None where that is not recorded."""

    sentence: str
    since: float | None = None


@frozen
class Surroundings:
    """What the state does not have. ``group_id`` is the run's; ``holder`` is None if no node holds it.

    ``ahead`` are the live runs of the workflow before this one, ``blocking`` those that have failed and block it;
    ``changed_at`` is the time of the last record about the step, or of the run. ``tags`` has, for each tag with
    permits, the limit that a user has set (None: the definition's limit applies) and how many permits are taken.
    """

    group_id: int
    holder: Holder | None
    ahead: tuple[str, ...] = ()
    blocking: tuple[str, ...] = ()
    changed_at: float | None = None
    tags: Mapping[str, tuple[int | None, int]] = Factory(dict)
