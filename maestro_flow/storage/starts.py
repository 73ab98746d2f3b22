"""Step (a) of a start, as every backend does it: same request or another, which version, which run (PROTOCOL 18)."""

from __future__ import annotations

from maestro_flow.errors import Conflict, NotFound
from maestro_flow.model.flow_id import FlowId
from maestro_flow.model.runs import PendingRun, StartRequest

__all__ = ["check_same_start", "new_run"]

_APART_S = 1e-6
"""A restart is at least this much later than the run that it follows, whatever the clock says, so that the runs of an
instance, newest first, begin with the latest."""


def check_same_start(there: PendingRun, request: StartRequest) -> None:
    """Raises Conflict: the request id has started another run than is asked for now. The group does not count."""
    after = None if there.run_id == 1 else (there.instance_id, there.run_id - 1)
    is_same_run = (request.body, request.after, request.parent) == (there.body, after, there.parent)
    if not is_same_run or request.version not in (None, there.version):
        raise Conflict(
            f"request {request.request_id!r} has started {there.flow_id} of version {there.version} already, "
            "with another body, of another version, after another run, or for another step; "
            "another run needs another request id"
        )


def new_run(
    request: StartRequest, *, latest_version: int, latest_instance: int, latest_run: PendingRun | None, now: float
) -> PendingRun:
    """The run that a new request creates; ``fresh``, because it goes into the answer to that request.

    ``latest_version`` and ``latest_instance`` are the workflow's, 0 if there is none. ``latest_run`` is the latest run
    created by a start of the instance in ``request.after``, if there is one.

    Raises:
        NotFound: there is no such workflow, version, or run to follow.
        Conflict: the run to follow is not the latest one of its instance.
    """
    if latest_version == 0:
        raise NotFound(f"there is no workflow {request.workflow_id!r}; push its definition first")
    version, instance_id, run_id, created_at = latest_version, latest_instance + 1, 1, now
    if request.after is not None:
        followed = _followed(request, request.after, latest_run)
        version, instance_id, run_id = followed.version, followed.instance_id, followed.run_id + 1
        created_at = max(now, followed.created_at + _APART_S)
    if request.version is not None:
        version = request.version
    if not 1 <= version <= latest_version:
        raise NotFound(f"workflow {request.workflow_id!r} has no version {version}; its latest is {latest_version}")
    return PendingRun(
        flow_id=str(FlowId(request.workflow_id, instance_id, run_id)),
        workflow_id=request.workflow_id,
        version=version,
        instance_id=instance_id,
        run_id=run_id,
        group_id=request.group_id,
        request_id=request.request_id,
        body=request.body,
        created_at=created_at,
        parent=request.parent,
        fresh=True,
    )


def _followed(request: StartRequest, after: tuple[int, int], latest: PendingRun | None) -> PendingRun:
    """The latest run, if it is the one to follow."""
    flow_id = FlowId(request.workflow_id, *after)
    if latest is None or not 1 <= after[1] <= latest.run_id:
        raise NotFound(f"there is no run {flow_id} that could be restarted")
    if after[1] != latest.run_id:
        raise Conflict(f"{flow_id} cannot be restarted: {latest.flow_id} has followed it, and is the latest run")
    return latest
