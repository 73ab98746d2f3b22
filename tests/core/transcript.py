"""Scenarios for the pure core as text: commands in, the full trace of events and effects out.

A file opens with the steps of a workflow, one a line (``a -> b, c:false  error_retry_limit=1``), and continues with
commands, each followed by ``----`` and what it led to::

    done a value=1
    ----
    10.0 rev 2: step_ended a#1 SUCCEEDED result=1 | step_starting b#1
      do RunStep b#1.1
      IN_PROGRESS active=1

A line ``@ name=value ...`` among the steps has fields of the workflow. Commands: start; queue, launch, displace REASON
(run strategies); again POLICY [STEP] [skip=STEPS] (a restart of the run, as a new flow); stop, kill, skip, pause,
resume, restart, unblock, breakpoint, clear ID [STEP] (actions); done, continue, user, platform, fatal, internal,
timeout, stopped STEP [value=JSON] [artifact=TEXT] [size=BYTES] [of=ATTEMPT.EXECUTION]; began STEP; tick; at TIME (the
clock); handover; crash (forget everything, fold the log, load); reload (the same, by the process that ran it); node
NAME=VALUE... (what the node can take on); inputs (the following lines, decided together).
"""

from __future__ import annotations

from typing import Any

from attrs import evolve as replace
from msgspec import Raw, json

from maestro_flow.core.decide import Decision, decide
from maestro_flow.core.evolve import fold
from maestro_flow.core.graph import Graph
from maestro_flow.core.holds import Interrupted, Paused, Ready, Retry
from maestro_flow.core.inputs import (
    Act,
    Began,
    Displace,
    HandOver,
    Input,
    Launch,
    Load,
    Progressed,
    Report,
    Start,
    Tick,
)
from maestro_flow.core.slots import Slots
from maestro_flow.core.state import FlowState
from maestro_flow.model.actions import Action, ActionOrder
from maestro_flow.model.definition import (
    DEFAULT_EXECUTOR,
    Backoff,
    FailureMode,
    RetryPolicy,
    RunRule,
    RunStrategy,
    TypedStep,
    WorkflowDefinition,
)
from maestro_flow.model.events import Event, StepError, encode_events
from maestro_flow.model.log import LogRecord
from maestro_flow.model.requests import RunPolicy, RunRequest
from maestro_flow.model.status import Verdict
from tests.core.capacities import capacity

VERDICTS = {
    "done": Verdict.DONE,
    "continue": Verdict.CONTINUE,
    "user": Verdict.USER_ERROR,
    "platform": Verdict.PLATFORM_ERROR,
    "fatal": Verdict.FATAL_ERROR,
    "internal": Verdict.INTERNAL_ERROR,
    "timeout": Verdict.TIMED_OUT,
    "stopped": Verdict.STOPPED,
}
SIMPLE: dict[str, Input] = {
    "start": Start(1, 1, 0.0),
    "queue": Start(1, 1, 0.0, queued=True),
    "launch": Launch(),
    "tick": Tick(),
    "handover": HandOver(),
}
WORKFLOW: dict[str, Any] = {
    "timeout_s": float,
    "instance_step_concurrency": int,
    "run_strategy": lambda rule: RunStrategy(RunRule(rule)),
}
ACTIONS = {action.lower(): action for action in Action} | {"clear": Action.BREAKPOINT}
POLICY = RetryPolicy(2, 10, 0, error=Backoff(60, 2, 600), platform=Backoff(10, 1, 10), timeout=Backoff(5, 1, 5))


def parse_workflow(lines: list[str]) -> WorkflowDefinition:
    steps, fields = [], dict[str, Any]()
    for line in lines:
        if line.startswith("@"):
            fields = {name: WORKFLOW[name](value) for name, value in (option.split("=") for option in line[1:].split())}
            continue
        head, _, options = line.partition("  ")
        step_id, _, targets = head.partition("->")
        successors: dict[str, bool | str] = {}
        for target in targets.split(","):
            if target.strip():
                name, _, condition = target.strip().partition(":")
                successors[name] = condition if condition not in ("", "true", "false") else condition != "false"
        given: dict[str, str] = dict(option.split("=") for option in options.split())
        mode = FailureMode(given.pop("mode", "FAIL_AFTER_RUNNING"))
        limits: dict[str, Any] = {name: int(value) for name, value in given.items()}
        policy = replace(POLICY, **limits)
        steps.append(TypedStep(step_id.strip(), "Test", successors=successors, retry_policy=policy, failure_mode=mode))
    return WorkflowDefinition("wf", tuple(steps), **fields)


class Player:
    """Plays a flow: decides, keeps the log, and remembers what a crash would leave."""

    def __init__(self, definition: WorkflowDefinition) -> None:
        self.graph = Graph.of(definition, 1)
        self.empty = self.state = FlowState.new("wf/1/1", self.graph)
        self.log: list[LogRecord] = []
        self.now = 0.0
        self.capacity = capacity()

    def play(self, lines: list[str]) -> str:
        command, *words = lines[0].split()
        if command == "at":
            self.now = float(words[0])
            return ""
        if command == "node":
            options = dict(word.split("=") for word in words)
            slots = {name: int(options.pop(name)) for name in ("starts", "suspects", "crashed") if name in options}
            self.capacity = capacity(
                {DEFAULT_EXECUTOR: Slots(**slots)},
                **{  # every option is a number or a set of ids
                    name: frozenset(value.split(",")) if name in ("inline", "unsupported") else int(value)
                    for name, value in options.items()
                },
            )
            return ""
        if command == "again":
            return self.restart(words)
        if command in ("crash", "reload"):
            self.state = self.folded()
            return self.decide([Load(same_owner=command == "reload")])
        if command == "inputs":
            return self.decide([self.input(line) for line in lines[1:]])
        return self.decide([self.input(lines[0])])

    def restart(self, words: list[str]) -> str:
        """A new flow that follows this one; its log begins anew."""
        queued, words = "queued" in words, [word for word in words if word != "queued"]
        options = dict(word.split("=", 1) for word in words[1:] if "=" in word)
        request = RunRequest(
            policy=RunPolicy(words[0]),
            previous=self.state.flow_id,
            restart_from=next((word for word in words[1:] if "=" not in word), ""),
            skip_steps=tuple(options.get("skip", "").split(",")) if options else (),
        )
        run_id = self.state.run_id + 1
        self.empty = FlowState.new(f"wf/1/{run_id}", self.graph, previous=self.state)
        self.state, self.log = self.empty, []
        return self.decide([Start(1, run_id, self.now, request, queued)])

    def folded(self) -> FlowState:
        return fold(self.empty, self.log)

    def input(self, line: str) -> Input:
        command, *words = line.split()
        if command in SIMPLE:
            return SIMPLE[command]
        if command == "displace":
            return Displace(" ".join(words))
        if command in ACTIONS:
            step_id = words[1] if len(words) > 1 else ""
            return Act(words[0], ACTIONS[command], ActionOrder(step_id, on=command != "clear"))
        step = self.state.steps.get(words[0])
        options = dict(word.split("=", 1) for word in words[1:])
        attempt, execution = (step.attempt, step.execution) if step else (1, 1)
        if "of" in options:
            attempt, execution = (int(part) for part in options["of"].split("."))
        if command == "began":
            return Began(words[0], attempt, execution, self.now)
        if command == "tells":
            return Progressed(words[0], attempt, execution, self.now, {"id": options["artifact"]}, ("told",))
        verdict = VERDICTS[command]
        failed = verdict not in (Verdict.DONE, Verdict.CONTINUE)
        return Report(
            words[0],
            attempt,
            execution,
            verdict,
            result=Raw(options.get("value", "null").encode()),
            artifacts={"id": options["artifact"]} if "artifact" in options else {},
            error=StepError("Test", command) if failed else None,
            size_bytes=int(options.get("size", 0)),
        )

    def decide(self, inputs: list[Input]) -> str:
        lines: list[str] = []
        while inputs:
            decision = decide(self.state, inputs, self.now, self.capacity)
            lines += self.commit(decision)
            inputs = list(decision.rest)
        state = self.state
        parts = [str(state.status), f"active={state.active}"]
        for name, kind in (("ready", Ready), ("interrupted", Interrupted), ("paused", Paused)):
            queue = state.steps.queue(kind)
            parts += [f"{name}={','.join(queue)}"] if queue else []
        parts += ["blocking"] if state.is_blocking else []
        parts += [
            f"retrying={step}@{at:g}"
            for step, at in sorted((step, state.steps.retry_at(step)) for step in state.steps.queue(Retry))
        ]
        return "\n".join([*lines, "  " + " ".join(parts)])

    def commit(self, decision: Decision) -> list[str]:
        lines = []
        if decision.events:
            state = decision.state
            lines.append(f"{decision.at:g} rev {state.revision}: " + " | ".join(map(told, decision.events)))
            record = LogRecord(
                state.flow_id,
                state.revision,
                0,
                1,
                "owner",
                state.revision,
                "id",
                decision.at,
                1,
                encode_events(decision.events),
            )
            self.log.append(record)
        self.state = decision.state
        lines += [f"  settle {settled.message_id}: {settled.outcome}" for settled in decision.settles]
        return [*lines, *(f"  do {effect}" for effect in decision.effects)]


def told(event: Event) -> str:
    """An event as its kind, its step and attempt, and every other field that is set."""
    fields = json.decode(json.encode(event))
    words = [fields.pop("kind")]
    if "step" in fields:
        words.append(f"{fields.pop('step')}#{fields.pop('attempt', 1)}")
    return " ".join([*words, *(f"{name}={json.encode(value).decode()}" for name, value in fields.items())])
