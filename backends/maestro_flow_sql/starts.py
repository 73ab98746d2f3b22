"""The answer to a call of ``start``, from what a dialect has read in its transaction (PROTOCOL 18)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve

from maestro_flow.model.runs import PendingRun, StartRequest
from maestro_flow.storage.starts import check_same_start, new_run

__all__ = ["answer_starts"]


def answer_starts(
    requests: Sequence[StartRequest],
    started: Sequence[PendingRun],
    followed: Sequence[PendingRun],
    counters: Mapping[str, tuple[int, int]],
    now: float,
) -> list[PendingRun]:
    """The run of each request: one of ``started``, or a fresh one with the next number of its workflow or instance.

    ``followed`` are the latest runs of the instances that requests name, ``counters`` (latest version, latest instance)
    by workflow id. The caller writes the answers that are ``fresh``.

    Raises:
        NotFound, Conflict: as the protocol says.
    """
    known = {(run.workflow_id, run.request_id): run for run in started}
    latest_runs = {(run.workflow_id, run.instance_id): run for run in followed}
    latest = dict(counters)
    answers = []
    for request in requests:
        workflow_id, key = request.workflow_id, (request.workflow_id, request.request_id)
        if key in known:
            check_same_start(known[key], request)
            answers.append(known[key])
            continue
        latest_version, latest_instance = latest.get(workflow_id, (0, 0))
        latest_run = None if request.after is None else latest_runs.get((workflow_id, request.after[0]))
        run = new_run(
            request, latest_version=latest_version, latest_instance=latest_instance, latest_run=latest_run, now=now
        )
        latest[workflow_id] = (latest_version, max(latest_instance, run.instance_id))
        known[key] = latest_runs[workflow_id, run.instance_id] = evolve(run, fresh=False)
        answers.append(run)
    return answers
