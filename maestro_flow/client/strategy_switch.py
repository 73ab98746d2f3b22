"""Whether a new version may switch the run strategy of its workflow now (Maestro: MaestroRunStrategyDao.java)."""

from __future__ import annotations

from maestro_flow.client.session import Session
from maestro_flow.errors import Conflict
from maestro_flow.model.definition import RunRule, WorkflowDefinition
from maestro_flow.model.status import LIVE_RUN_STATUSES, RunStatus
from maestro_flow.storage.protocol import RunQuery

__all__ = ["check_switch"]

_CHECKED = (RunRule.FIRST_ONLY, RunRule.LAST_ONLY, RunRule.STRICT_SEQUENTIAL)


def check_switch(session: Session, definition: WorkflowDefinition) -> None:
    """Compare with the latest version. This takes no lock: a run that starts or fails at the same moment is not seen.

    Raises:
        Conflict: runs of the workflow would be displaced by the new rule, or would block it from the start.
    """
    storage, workflow_id, rule = session.storage, definition.id, definition.run_strategy.rule
    if rule not in _CHECKED:
        return
    stored = storage.definition(workflow_id)
    if stored is None or session.graphs.of_version(workflow_id, stored.version).definition.run_strategy.rule is rule:
        return
    switch = f"workflow {workflow_id} cannot be switched to {rule} now"
    if rule is RunRule.STRICT_SEQUENTIAL:
        failed = RunQuery(workflow_id=workflow_id, statuses=frozenset({RunStatus.FAILED}), blocking=True, limit=1)
        if blocking := storage.list_runs(failed):
            raise Conflict(
                f"{switch}: run {blocking[0].flow_id} has FAILED and would block all others. Restart or unblock what "
                "has failed, and push again"
            )
    else:
        live = storage.list_runs(RunQuery(workflow_id=workflow_id, statuses=LIVE_RUN_STATUSES, limit=2))
        if len(live) > 1:
            raise Conflict(
                f"{switch}: {live[0].flow_id}, {live[1].flow_id} and perhaps more runs have not ended, and all but one "
                "would be stopped. Stop them, or wait for them, and push again"
            )
