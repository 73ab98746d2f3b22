"""How many runs of a workflow are active at once, by its strategy (I18)."""

from __future__ import annotations

from attrs import Factory, define

from maestro_flow.model.definition import RunRule, RunStrategy
from maestro_flow.model.events import Event, RunEnded, RunStarted, RunUnblocked
from maestro_flow.verify.history import Source, Violated
from maestro_flow.verify.runs import RunReplay

__all__ = ["Strategies"]


@define
class _Workflow:
    active: set[str] = Factory(set)
    blocking: dict[str, float] = Factory(dict)
    """Failed runs, and when they were created: runs that were created before may still be active."""


class Strategies:
    """The active runs of each workflow in one group; those of a limited workflow are all in one group (PROTOCOL 19)."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._workflows: dict[str, _Workflow] = {}

    def take(self, run: RunReplay, event: Event) -> None:
        """An event of a run of the group, after its replay has taken it."""
        match event:
            case RunStarted():
                self._launched(run)
            case RunEnded():
                self._ended(run)
            case RunUnblocked() if run.workflow_id in self._workflows:
                self._workflows[run.workflow_id].blocking.pop(run.flow_id, None)

    def _launched(self, run: RunReplay) -> None:
        """A run has begun."""
        workflow = self._workflows.setdefault(run.workflow_id, _Workflow())
        others = workflow.active - {run.flow_id}
        workflow.active.add(run.flow_id)
        strategy = run.graph.definition.run_strategy
        limit = _limit(strategy)
        if limit is not None and len(others) >= limit and not self._is_allowed_by_newer(run, len(others)):
            some = ", ".join(sorted(others)[:3])
            raise Violated("I18", f"the run begins while {len(others)} of at most {limit} are active: {some}")
        if strategy.rule is RunRule.STRICT_SEQUENTIAL:
            blocking = [flow_id for flow_id, created_at in workflow.blocking.items() if created_at <= run.created_at]
            if blocking and not self._is_allowed_by_newer(run, 0, by_other_rule=True):
                raise Violated("I18", f"the run begins while {min(blocking)} has failed and was not unblocked")

    def _ended(self, run: RunReplay) -> None:
        """A run has ended."""
        workflow = self._workflows.setdefault(run.workflow_id, _Workflow())
        workflow.active.discard(run.flow_id)
        if run.is_blocking and run.graph.definition.run_strategy.rule is RunRule.STRICT_SEQUENTIAL:
            workflow.blocking[run.flow_id] = run.created_at
        if not workflow.active and not workflow.blocking:
            del self._workflows[run.workflow_id]

    def _is_allowed_by_newer(self, run: RunReplay, others: int, *, by_other_rule: bool = False) -> bool:
        """The newest version among live runs counts. The log may not show that run yet, so any newer version may be
        it."""
        version = run.graph.version + 1
        while (graph := self._source.graph(run.flow_id, version)) is not None:
            strategy = graph.definition.run_strategy
            limit = _limit(strategy)
            if strategy.rule is not RunRule.STRICT_SEQUENTIAL if by_other_rule else limit is None or others < limit:
                return True
            version += 1
        return False


def _limit(strategy: RunStrategy) -> int | None:
    return strategy.workflow_concurrency if strategy.rule is RunRule.PARALLEL else 1
