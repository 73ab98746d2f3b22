"""Step (a) of a start, as every backend does it: same request or another, which version, which run (PROTOCOL 18)."""

from __future__ import annotations

from maestro_flow.errors import Conflict, NotFound
from maestro_flow.model.commit import GivenRun, StartRequest, flow_id_of

__all__ = ["check_same_start", "chosen_version", "new_run"]


def check_same_start(there: GivenRun, request: StartRequest) -> None:
    """Raises Conflict: the request id has started another run than is asked for now. The group is no part of it."""
    if request.body != there.body or request.version not in (None, there.version):
        raise Conflict(
            f"request {request.request_id!r} has started {there.flow_id} of version {there.version} already, "
            "with another body or of another version; another run needs another request id"
        )


def chosen_version(request: StartRequest, *, latest: int) -> int:
    """The version to run, when the workflow's latest is ``latest`` (0: no such workflow); versions are dense from 1.

    Raises:
        NotFound: there is no such workflow or version.
    """
    if latest == 0:
        raise NotFound(f"there is no workflow {request.workflow_id!r}; push its definition first")
    version = latest if request.version is None else request.version
    if not 1 <= version <= latest:
        raise NotFound(f"workflow {request.workflow_id!r} has no version {version}; its latest is {latest}")
    return version


def new_run(request: StartRequest, *, version: int, instance_id: int, created_at: float) -> GivenRun:
    """The run that a new request makes; ``fresh``, because it goes into the answer to that request."""
    return GivenRun(
        flow_id=flow_id_of(request.workflow_id, instance_id, 1),
        workflow_id=request.workflow_id,
        version=version,
        instance_id=instance_id,
        run_id=1,
        group_id=request.group_id,
        request_id=request.request_id,
        body=request.body,
        created_at=created_at,
        fresh=True,
    )
