"""What a call of ``start`` answers, out of what a dialect has read in its transaction (PROTOCOL 18)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve

from maestro_flow.model.commit import GivenRun, StartRequest
from maestro_flow.storage.starts import check_same_start, chosen_version, new_run

__all__ = ["answer_starts"]


def answer_starts(
    requests: Sequence[StartRequest],
    started: Sequence[GivenRun],
    counters: Mapping[str, tuple[int, int]],
    now: float,
) -> list[GivenRun]:
    """The run of each request: one of ``started``, or a fresh one with the next number of its workflow.

    ``counters`` are (latest version, latest instance) by workflow id. What is fresh in the answers is to be written.

    Raises:
        NotFound: the workflow or the version does not exist.
        Conflict: the request id was used with another body or another explicit version.
    """
    known = {(run.workflow_id, run.request_id): run for run in started}
    latest = dict(counters)
    answers = []
    for request in requests:
        key = (request.workflow_id, request.request_id)
        if key in known:
            check_same_start(known[key], request)
            answers.append(known[key])
            continue
        latest_version, instance_id = latest.get(request.workflow_id, (0, 0))
        version = chosen_version(request, latest=latest_version)
        run = new_run(request, version=version, instance_id=instance_id + 1, created_at=now)
        latest[request.workflow_id] = (latest_version, instance_id + 1)
        known[key] = evolve(run, fresh=False)
        answers.append(run)
    return answers
