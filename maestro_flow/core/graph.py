"""A definition as a graph, built once per version: readiness is counted along its edges, never searched.

The body of a loop, which its children run, is a separate graph without a version in the catalog: it is found by the ids
of the steps that lead to it from the root.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from attrs import Factory, evolve, frozen

from maestro_flow.core.params.plan import StepPlan, plan_of
from maestro_flow.core.permits.tags import permits_of
from maestro_flow.core.steps import Steps
from maestro_flow.errors import NotFound
from maestro_flow.model.definition import RunStrategy, StepDefinition, WorkflowDefinition
from maestro_flow.model.status import StepStatus

__all__ = ["Graph"]


@frozen(eq=False)
class Graph:
    """The DAG of one version of a workflow, or of the body of one of its loops, shared by all flows that run it."""

    definition: WorkflowDefinition
    version: int
    steps: dict[str, StepDefinition]
    """Steps by id, in the order of the definition."""
    roots: tuple[str, ...]
    predecessors: dict[str, int]
    """How many steps must complete before a step is decided."""
    branching: frozenset[str]
    """Steps with a condition to a successor that is an expression."""
    plans: dict[str, StepPlan]
    """What must be evaluated for each step."""
    untouched: Steps
    """The steps with which every flow begins."""
    permits: Mapping[str, dict[str, int]] = Factory(dict)
    """Steps that need permits: tags with their limits."""

    def known(self, step_ids: Collection[str]) -> tuple[str, ...]:
        """Step ids given by a user, in the order of the definition, so that the same choice is the same request.

        Raises:
            NotFound: the graph has no such step.
        """
        for step_id in step_ids:
            if step_id not in self.steps:
                raise NotFound(f"version {self.version} of workflow {self.definition.id!r} has no step {step_id!r}")
        return tuple(step_id for step_id in self.steps if step_id in step_ids)

    def edges(self, step_id: str, status: StepStatus, branches: Mapping[str, bool]) -> Mapping[str, bool]:
        """The value of the condition to each successor of a complete step.

        ``branches`` has those that are expressions. After an unsatisfied step all conditions are false.
        """
        if status is StepStatus.UNSATISFIED:
            return self.no_edges(step_id)
        successors = self.steps[step_id].successors
        if step_id not in self.branching:
            return successors  # type: ignore[return-value]  # all are constants
        return {to: branches[to] if isinstance(value, str) else value for to, value in successors.items()}

    def no_edges(self, step_id: str) -> Mapping[str, bool]:
        """False to each successor."""
        return dict.fromkeys(self.steps[step_id].successors, False)

    def from_here_on(self, step_id: str) -> frozenset[str]:
        """A step and all its direct and indirect successors."""
        found, waiting = {step_id}, [step_id]
        while waiting:
            new = self.steps[waiting.pop()].successors.keys() - found
            found |= new
            waiting += new
        return frozenset(found)

    @classmethod
    def of(cls, definition: WorkflowDefinition, version: int, path: Sequence[str] = ()) -> Graph:
        """The graph of a checked definition (acyclic, every successor exists), or of the body at ``path`` in it.

        Raises:
            NotFound: there is no loop at ``path``.
        """
        for step_id in path:
            definition = _body(definition, version, step_id)
        incoming = Counter(successor for step in definition.steps for successor in step.successors)
        return cls(
            definition=definition,
            version=version,
            steps={step.id: step for step in definition.steps},
            roots=tuple(step.id for step in definition.steps if not incoming[step.id]),
            predecessors=dict(incoming),
            permits={step.id: permits for step in definition.steps if (permits := permits_of(definition, step))},
            branching=frozenset(
                step.id
                for step in definition.steps
                if any(isinstance(value, str) for value in step.successors.values())
            ),
            plans={step.id: plan_of(step) for step in definition.steps},
            untouched=Steps.of(step.id for step in definition.steps),
        )


def _body(definition: WorkflowDefinition, version: int, step_id: str) -> WorkflowDefinition:
    """What a child of a loop runs: an inline workflow with the owner, tags and limits of its workflow.

    The parent provides all params of a child. A child is never queued by a run strategy, and its parent's timeout
    applies.
    """
    steps = next((step.steps for step in definition.steps if step.id == step_id), ())
    if not steps:
        raise NotFound(f"version {version} of workflow {definition.id!r} has no loop {step_id!r}")
    return evolve(definition, steps=steps, params={}, timeout_s=None, run_strategy=RunStrategy())
