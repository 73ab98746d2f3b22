"""What the engine's own fold says that steps wait for is compared with what their log says (I21)."""

from __future__ import annotations

from copy import deepcopy

import pytest
from msgspec.structs import replace

from maestro_flow.core.holds import READY, RETRY, Hold
from maestro_flow.model.definition import Tag
from maestro_flow.model.events import StepPaused, StepPermitted, StepWaiting, decode_events
from maestro_flow.verify.history import Violated
from maestro_flow.verify.runs import RunReplay
from tests.verify.story import Story, begun, done, failed, starts


def replayed(story: Story) -> RunReplay:
    """The run of a story."""
    events = [event for record in story.records for event in decode_events(record.events)]
    run = RunReplay(story.records[0], events[0], story.graphs["wf", 1], None)  # type: ignore[arg-type]
    for event in events:
        run.take(event, 1.0)
    return run


TAGGED = Story("a", tags=(Tag("db", permit=1),)).write("1", begun(), StepWaiting("a", 1, {"db": 1}))
STORIES = {
    "ready": Story("a").write("1", begun()),
    "paused": Story("a").write("1", begun(), StepPaused("a", 1)),
    "permits": TAGGED,
    "permitted": deepcopy(TAGGED).write("1", StepPermitted("a", 1)),
    "runs": Story("a").write("1", begun(), starts("a")),
    "retried": Story("a").write("1", begun(), starts("a"), failed("a", retry_at=9.0)),
    "unsatisfied": Story("b -> a:false", "a").write("1", begun(), starts("b"), done("b")),
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_hold_that_the_log_does_not_tell_of_is_found(story: Story) -> None:
    run = replayed(story)
    run.check_fold()
    assert run.folded is not None
    steps = run.folded.steps
    wrong: Hold = RETRY if steps.is_in(type(READY), "a") else READY
    run.folded = replace(run.folded, steps=steps.set("a", replace(steps["a"], hold=wrong)))
    with pytest.raises(Violated, match="by the engine's own fold it waits for"):
        run.check_fold()


def test_a_step_that_is_missing_in_its_queue_is_found() -> None:
    run = replayed(STORIES["ready"])
    assert run.folded is not None
    run.folded = replace(run.folded, steps=replace(run.folded.steps, queues={}))
    with pytest.raises(Violated, match="by the log for Ready"):
        run.check_fold()
