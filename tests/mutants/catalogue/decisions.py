"""Bugs in what is decided: the pure core."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant

__all__ = ["DECISIONS"]

_TRANSCRIPTS = ("tests/core/test_transcripts.py",)


DECISIONS = (
    Mutant(
        "timer-early",
        "PROTOCOL 15: a retry begins when it is due, and not before",
        (
            Edit(
                "maestro_flow/core/advance.py",
                "state.steps.retry_at(step_id) > draft.at",
                "state.steps.retry_at(step_id) > draft.at + 30.0",
            ),
        ),
        _TRANSCRIPTS,
    ),
    Mutant(
        "hold-kept",
        "core.holds: a step waits for one thing at a time, and leaves the queue that it was in",
        (
            Edit(
                "maestro_flow/core/holds.py",
                "return Queue(steps, start)",
                "return Queue(steps)",
            ),
        ),
        _TRANSCRIPTS,
    ),
    Mutant(
        "suspect-is-a-crash",
        "PROTOCOL 24: only an owner that vanished after a recorded RUNNING counts as a crash",
        (
            Edit(
                "maestro_flow/core/run.py",
                "step.crashes + (step.status is StepStatus.RUNNING)",
                "step.crashes + 1",
            ),
        ),
        _TRANSCRIPTS,
    ),
    Mutant(
        "late-report",
        "law 5: the report of an execution that was given up does not count",
        (
            Edit(
                "maestro_flow/core/attempts.py",
                "step.attempt == message.attempt and step.execution == message.execution",
                "bool(message.attempt)",
            ),
        ),
        _TRANSCRIPTS,
    ),
    Mutant(
        "permits-kept",
        "PROTOCOL 21: an attempt that has ended gives its permits back",
        (
            Edit(
                "maestro_flow/core/attempts.py",
                "if step is not None and step.permits:",
                "if step is not None and step.permits and step.is_active:",
            ),
        ),
        ("tests/core/test_permits.py", "tests/engine/test_permits.py", "-k", "stopped or given"),
    ),
    Mutant(
        "sequential-of-two",
        "PROTOCOL 19: under SEQUENTIAL, one run is active at a time",
        (Edit("maestro_flow/core/strategy.py", "_first(queued, 1 - len(active))", "_first(queued, 2 - len(active))"),),
        ("tests/core/test_strategy.py",),
    ),
    Mutant(
        "regression",
        "law 5: a state never goes back",
        (
            Edit(
                "maestro_flow/core/evolve.py",
                "if status not in STEP_TRANSITIONS.get(step.status, _NO_TRANSITION):",
                "if status is StepStatus.NOT_CREATED:",
            ),
        ),
        ("tests/core/test_action_tables.py",),
    ),
    Mutant(
        "loop-lacks-nothing",
        "PROTOCOL 22: a node that lacks the code of a step in a loop's body does not begin the loop",
        (
            Edit(
                "maestro_flow/actors/step_support.py",
                "        if step.kind not in step_types.kinds:",
                "        if step_types.kinds:\n            return ''\n        if step.kind not in step_types.kinds:",
            ),
        ),
        ("tests/steps/test_registry.py",),
    ),
    Mutant(
        "loop-takes-permits",
        "core.permits.tags: a composite step takes no permit that the steps it runs wait for",
        (Edit("maestro_flow/core/permits/tags.py", "if is_leaf else step.tags", "if step.tags else step.tags"),),
        ("tests/core/test_graph.py",),
    ),
    Mutant(
        "iteration-as-instance",
        "model.flow_id: iteration 12 of a loop is never instance 12 of its workflow",
        (
            Edit(
                "maestro_flow/core/state.py",
                "return FlowId.parse(self.flow_id).workflow_id",
                "return self.graph.definition.id",
            ),
        ),
        ("tests/engine/test_children.py", "-k", "memory"),
    ),
)
