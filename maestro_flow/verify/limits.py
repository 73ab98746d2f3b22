"""How much goes on at once: runs of a workflow by its strategy, claims of a tag by its limit (I18)."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import Factory, define
from msgspec.structs import replace

from maestro_flow.model.definition import RunRule, RunStrategy
from maestro_flow.model.events import Event, RunEnded, RunStarted, RunUnblocked
from maestro_flow.model.permit_events import (
    Claim,
    ClaimForgone,
    ClaimGranted,
    ClaimQueued,
    ClaimReleased,
    LimitSet,
    PermitEvent,
    PermitsCarriedOn,
    PermitsCarriedOver,
)
from maestro_flow.verify.history import Source, Violated
from maestro_flow.verify.runs import RunReplay

__all__ = ["PermitReplay", "Strategies"]


@define
class _Workflow:
    going: set[str] = Factory(set)
    blocking: dict[str, float] = Factory(dict)
    """Failed runs, and when they were created: those that were created before may be on their way still."""


class Strategies:
    """The runs of each workflow in one group that go on; all of a limited one are in one group (PROTOCOL 19)."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._workflows: dict[str, _Workflow] = {}

    def take(self, run: RunReplay, event: Event) -> None:
        """An event of a run of the group, which its replay has taken already."""
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
        others = workflow.going - {run.flow_id}
        workflow.going.add(run.flow_id)
        strategy = run.graph.definition.run_strategy
        limit = _limit(strategy)
        if limit is not None and len(others) >= limit and not self._is_allowed_by_newer(run, len(others)):
            some = ", ".join(sorted(others)[:3])
            raise Violated("I18", f"the run begins while {len(others)} of at most {limit} go on: {some}")
        if strategy.rule is RunRule.STRICT_SEQUENTIAL:
            blocking = [flow_id for flow_id, created_at in workflow.blocking.items() if created_at <= run.created_at]
            if blocking and not self._is_allowed_by_newer(run, 0, by_other_rule=True):
                raise Violated("I18", f"the run begins while {min(blocking)} has failed and was not unblocked")

    def _ended(self, run: RunReplay) -> None:
        """A run has ended."""
        workflow = self._workflows.setdefault(run.workflow_id, _Workflow())
        workflow.going.discard(run.flow_id)
        if run.is_blocking and run.graph.definition.run_strategy.rule is RunRule.STRICT_SEQUENTIAL:
            workflow.blocking[run.flow_id] = run.created_at
        if not workflow.going and not workflow.blocking:
            del self._workflows[run.workflow_id]

    def _is_allowed_by_newer(self, run: RunReplay, others: int, *, by_other_rule: bool = False) -> bool:
        """The newest version among live runs counts, one of which the log may not tell yet: any newer one may be it."""
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


class PermitReplay:
    """One run of the permit flow; ``before`` is the run before it, if the log has that."""

    def __init__(self, flow_id: str, before: PermitReplay | None) -> None:
        self.flow_id, self.before = flow_id, before
        self.limits: dict[str, int] = {}
        self.claims: dict[str, Claim] = {}
        self.held: dict[str, int] = {}
        self.forgone: set[str] = set()
        self.is_over = False
        self.is_new = True

    def take(self, event: PermitEvent, at: float) -> None:
        """One event, recorded at time ``at``."""
        if self.is_over:
            raise Violated("I9", f"{type(event).__name__} after it was carried on elsewhere")
        match event:
            case ClaimQueued():
                if event.claim in self.claims or event.claim in self.forgone:
                    raise Violated("I13", f"claim {event.claim} is queued a second time")
                self.claims[event.claim] = Claim(0, event.permits, event.group, at)
            case ClaimGranted():
                self._grant(event.claim)
            case ClaimReleased():
                self._release(event.claim)
            case ClaimForgone():
                self.forgone.add(event.claim)
            case LimitSet(tag=tag, limit=None):
                self.limits.pop(tag, None)
            case LimitSet(tag=tag, limit=int(limit)):
                self.limits[tag] = limit
            case PermitsCarriedOver():
                self._carry_over(event)
            case PermitsCarriedOn():
                self.is_over = True
        self.is_new = False

    def _grant(self, claim_id: str) -> None:
        claim = self.claims.get(claim_id)
        if claim is None:
            raise Violated("I5", f"claim {claim_id} is granted, and nobody waits for it")
        if claim.is_granted:
            raise Violated("I13", f"claim {claim_id} is granted a second time")
        for tag, given in claim.permits.items():
            limit = self.limits.get(tag, given)
            if self.held.get(tag, 0) >= limit:
                raise Violated("I18", f"claim {claim_id} is granted while {limit} steps hold the tag {tag}, all it has")
        self.claims[claim_id] = replace(claim, is_granted=True)
        self._hold(claim.permits)

    def _hold(self, permits: Mapping[str, int]) -> None:
        for tag in permits:
            self.held[tag] = self.held.get(tag, 0) + 1

    def _release(self, claim_id: str) -> None:
        if claim_id in self.forgone:
            self.forgone.discard(claim_id)
            return
        claim = self.claims.pop(claim_id, None)
        if claim is None:
            raise Violated("I13", f"claim {claim_id} is released, and nobody has it")
        if claim.is_granted:
            for tag in claim.permits:
                self.held[tag] -= 1

    def _carry_over(self, event: PermitsCarriedOver) -> None:
        if not self.is_new:
            raise Violated("I5", "claims are carried over into a run of the permit flow that has begun")
        self.limits, self.claims, self.forgone = dict(event.limits), dict(event.claims), set(event.forgone)
        for claim in event.claims.values():
            if claim.is_granted:
                self._hold(claim.permits)
        if self.before is not None and _holders(self.before) != _holders(self):
            raise Violated("I21", f"what it takes over is not what {self.before.flow_id} knew")


def _holders(permits: PermitReplay) -> tuple[dict[str, int], dict[str, bool]]:
    return permits.limits, {claim_id: claim.is_granted for claim_id, claim in permits.claims.items()}
