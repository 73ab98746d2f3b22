"""The kinds of events: how each is written, what each says of itself, and that the documentation has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from maestro_flow.model import events
from maestro_flow.model.events import Event, RunEvent, StepError, StepEvent, decode_events, encode_events
from maestro_flow.model.requests import RunPolicy, RunRequest
from maestro_flow.model.status import RunStatus, StepStatus

KINDS: tuple[type[RunEvent | StepEvent], ...] = get_args(Event)

RESTART = RunRequest(policy=RunPolicy.RESTART_FROM_SPECIFIC, previous="w/1/1", restart_from="a", skip_steps=("b",))

EXAMPLES: list[tuple[Event, str, str, str]] = [
    (
        events.RunQueued("w", 1, 1, 1, 0.5, RunRequest(breakpoints=("a",))),
        (
            '{"kind":"run_queued","workflow_id":"w","version":1,"instance_id":1,"run_id":1,"created_at":0.5,'
            '"request":{"breakpoints":["a"]}}'
        ),
        "run queued (breakpoint at a)",
        "",
    ),
    (
        events.RunStarted("w", 1, 1, 2, 0.5, {}, RESTART, 60.0),
        (
            '{"kind":"run_started","workflow_id":"w","version":1,"instance_id":1,"run_id":2,"created_at":0.5,'
            '"request":{"policy":"RESTART_FROM_SPECIFIC","previous":"w/1/1","restart_from":"a","skip_steps":["b"]},'
            '"timeout_s":60.0}'
        ),
        "run started (RESTART_FROM_SPECIFIC from step a after w/1/1, skip b), for at most 60 s",
        "",
    ),
    (
        events.RunStopping("m"),
        '{"kind":"run_stopping","message_id":"m"}',
        "run ending, its steps as STOPPED: by a user",
        "",
    ),
    (
        events.RunEnded(RunStatus.FAILED, "no luck"),
        '{"kind":"run_ended","status":"FAILED","reason":"no luck"}',
        "run ended FAILED: no luck",
        "",
    ),
    (
        events.RunUnblocked("m"),
        '{"kind":"run_unblocked","message_id":"m"}',
        "run unblocked: it no longer keeps other runs from starting",
        "",
    ),
    (
        events.StepPaused("a", 2),
        '{"kind":"step_paused","step":"a","attempt":2}',
        "step a paused before attempt 2",
        "PAUSED",
    ),
    (
        events.StepResumed("a", 2),
        '{"kind":"step_resumed","step":"a","attempt":2}',
        "step a resumed, attempt 2 is next",
        "INITIALIZED",
    ),
    (
        events.StepUnsupported("a"),
        '{"kind":"step_lacking","step":"a"}',
        "step a waits: its node does not have its code",
        "its node does not have its code",
    ),
    (
        events.StepWaiting("a", 1, {"db": 2}),
        '{"kind":"step_waiting","step":"a","attempt":1,"permits":{"db":2}}',
        "step a waits for permits, attempt 1: db (at most 2)",
        "WAITING_FOR_PERMITS",
    ),
    (
        events.StepPermitted("a", 1),
        '{"kind":"step_permitted","step":"a","attempt":1}',
        "step a has its permits, attempt 1",
        "permits granted",
    ),
    (
        events.StepStarting("a", 1, {}, 5.0),
        '{"kind":"step_starting","step":"a","timeout_s":5.0}',
        "step a starting, attempt 1, for at most 5 s",
        "STARTING",
    ),
    (
        events.StepRunning("a", 1, 0.5, 2),
        '{"kind":"step_running","step":"a","attempt":1,"at":0.5,"execution":2}',
        "step a running, attempt 1, execution 2",
        "RUNNING",
    ),
    (
        events.StepProgressed("a", 1, {}, ("job 7 sent",)),
        '{"kind":"step_progressed","step":"a","attempt":1,"timeline":["job 7 sent"]}',
        "step a progressed, attempt 1: job 7 sent",
        "job 7 sent",
    ),
    (
        events.StepInterrupted("a", 1, 2, 1),
        '{"kind":"step_interrupted","step":"a","attempt":1,"execution":2,"crashes":1}',
        "step a interrupted, crashes 1, attempt 1 continues as execution 2",
        "interrupted",
    ),
    (
        events.StepInterrupted("a", 1, 2, 0, handed_over=True),
        '{"kind":"step_interrupted","step":"a","attempt":1,"execution":2,"handed_over":true}',
        "step a handed over, attempt 1 continues as execution 2",
        "handed over",
    ),
    (
        events.StepStopping("a", 1, StepStatus.SKIPPED),
        '{"kind":"step_stopping","step":"a","attempt":1,"status":"SKIPPED"}',
        "step a is being terminated, attempt 1 will end as SKIPPED",
        "to end as SKIPPED",
    ),
    (
        events.StepRestarting("a"),
        '{"kind":"step_restarting","step":"a"}',
        "step a restarted",
        "restarted",
    ),
    (
        events.BreakpointSet("a"),
        '{"kind":"breakpoint_set","step":"a"}',
        "step a has a breakpoint",
        "",
    ),
    (
        events.BreakpointSet("a", on=False),
        '{"kind":"breakpoint_set","step":"a","on":false}',
        "step a no longer has a breakpoint",
        "",
    ),
    (
        events.StepEnded("a", 1, StepStatus.USER_FAILED, 0.5, error=StepError("ValueError", "no\nluck"), retry_at=1.5),
        (
            '{"kind":"step_ended","step":"a","attempt":1,"status":"USER_FAILED","began_at":0.5,'
            '"error":{"type":"ValueError","message":"no\\nluck"},"retry_at":1.5}'
        ),
        "step a ended USER_FAILED, attempt 1: ValueError: no luck; it will be retried",
        "USER_FAILED",
    ),
    (
        events.StepEnded("a", 1, StepStatus.SUCCEEDED, timeline=("7 rows", "sent"), branches={"b": True, "c": False}),
        (
            '{"kind":"step_ended","step":"a","attempt":1,"status":"SUCCEEDED","timeline":["7 rows","sent"],'
            '"branches":{"b":true,"c":false}}'
        ),
        "step a ended SUCCEEDED, attempt 1; b: true, c: false",
        "7 rows; sent; SUCCEEDED",
    ),
]
"""Events, each with its JSON in the log, its line in a list, and its words in a timeline."""


def kind_of(kind: type[RunEvent | StepEvent]) -> Any:
    return kind.__struct_config__.tag


@pytest.mark.parametrize(("event", "json"), [example[:2] for example in EXAMPLES])
def test_the_wire_format_does_not_change(event: Event, json: str) -> None:
    assert encode_events([event]).decode() == f"[{json}]"
    assert decode_events(f"[{json}]".encode()) == (event,)


@pytest.mark.parametrize(("event", "line"), [(example[0], example[2]) for example in EXAMPLES])
def test_an_event_is_one_line(event: Event, line: str) -> None:
    assert event.describe() == line


@pytest.mark.parametrize(("event", "words"), [(e[0], e[3]) for e in EXAMPLES if isinstance(e[0], StepEvent)])
def test_an_event_of_a_step_has_its_place_in_the_timeline(event: StepEvent, words: str) -> None:
    assert "; ".join(event.timeline_lines()) == words


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_event_is_complete(kind: type[RunEvent | StepEvent]) -> None:
    assert issubclass(kind, RunEvent | StepEvent)
    assert "text" in vars(kind), "it says in its own words what happened"
    assert kind.__name__ in events.__all__
    assert kind in {type(example[0]) for example in EXAMPLES}, "it has an example above"


@pytest.mark.parametrize("kind", KINDS, ids=kind_of)
def test_the_documentation_lists_each_kind_with_its_fields(kind: type[RunEvent | StepEvent]) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/reference/events.md").read_text(encoding="utf-8")
    rows = [row for row in page.splitlines() if row.startswith(f"| `{kind_of(kind)}` |")]
    assert len(rows) == 1
    _, _, fields, *rest = rows[0].split("|")
    named = [name.strip() for name in fields.replace("the same", "`request`").split(",") if name.strip()]
    own = [name for name in kind.__struct_fields__ if name != "step"]
    if kind is events.RunStarted:
        own = ["request", "params", "timeout_s"]
    assert named == [f"`{name}`" for name in own]
    if issubclass(kind, StepEvent):
        status = "`status`" if kind is events.StepEnded else kind.leads_to or ""
        assert rest[0].strip() == status
