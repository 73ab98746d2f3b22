"""``maestro-flow show --events`` and ``--step``: the log of a run, and the life of one step."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from maestro_flow import Engine, NotFound, StepContext, Workflow
from maestro_flow.model.status import StepStatus
from tests.cli.command_line import CommandLine
from tests.engine.actions_world import PATIENCE_S, sleepers, when


@pytest.fixture
def engine(cli: CommandLine) -> Iterator[Engine]:
    """An engine in this process, on the store that the command line uses."""
    with Engine(f"sqlite:///{cli.folder}/maestro-flow.db") as engine:
        yield engine


@pytest.fixture
def flaky(engine: Engine) -> None:
    """A run whose step succeeds at its second attempt has ended."""
    wf = Workflow("flaky")

    @wf.step(retries=1, retry_wait_s=0.01)
    def second(context: StepContext) -> int:
        if context.attempt == 1:
            raise ConnectionError("try again")
        return 7

    engine.run(wf, timeout_s=PATIENCE_S).raise_for_status()


@pytest.mark.usefixtures("flaky")
def test_the_log_is_printed_event_by_event(cli: CommandLine) -> None:
    lines = [line.split(" ", 3) for line in cli("show", "flaky", "--events").stdout.splitlines()]
    revisions = [int(line[2]) for line in lines]
    assert revisions == sorted(revisions)
    assert [line[3] for line in lines] == [
        "run started",
        "step second starting, attempt 1",
        "step second ended USER_FAILED, attempt 1: ConnectionError: try again; it will be retried",
        "step second starting, attempt 2",
        "step second ended SUCCEEDED, attempt 2",
        "run ended SUCCEEDED",
    ]


@pytest.mark.usefixtures("flaky")
def test_a_long_log_is_printed_in_pages(cli: CommandLine) -> None:
    everything = cli.json("show", "flaky", "--events")
    assert everything["more"] is False
    assert everything["events"][0].keys() >= {"revision", "time", "owner_id", "kind", "workflow_id"}
    first = cli("show", "flaky", "--events", "--limit", "1")
    last = int(first.stdout.splitlines()[-1].split()[2])
    assert first.stderr == f"there are more events: --after {last}\n"
    rest = cli.json("show", "flaky", "--events", "--after", str(last))["events"]
    assert rest == [event for event in everything["events"] if event["revision"] > last]


@pytest.mark.usefixtures("flaky")
def test_the_life_of_a_step_goes_through_its_attempts(cli: CommandLine) -> None:
    header, *rows = cli("show", "flaky", "1", "--step", "second").stdout.splitlines()
    assert header.split() == ["AT", "ATTEMPT", "EXECUTION", "WHAT", "TIME"]
    assert [row.split()[1:4] for row in rows] == [
        ["1", "1", "STARTING"],
        ["1", "1", "RUNNING"],
        ["1", "1", "USER_FAILED"],
        ["2", "1", "STARTING"],
        ["2", "1", "RUNNING"],
        ["2", "1", "SUCCEEDED"],
    ]
    document = cli.json("show", "flaky", "--step", "second")
    assert document["timeline"][2]["seconds"] >= 0.01
    assert document["timeline"][-1]["seconds"] is None
    first, second = document["attempts"]
    assert (first["status"], first["error"]["message"]) == ("USER_FAILED", "try again")
    assert (second["attempt"], second["status"], second["result"]) == (2, "SUCCEEDED", 7)
    assert first["timeline"] + second["timeline"] == document["timeline"]


def test_the_life_of_a_step_has_its_pauses_and_executions(cli: CommandLine) -> None:
    url = f"sqlite:///{cli.folder}/maestro-flow.db"
    with Engine(url) as engine:
        engine.push(sleepers())
        run = engine.start("long", breakpoints=["after"])
        when(run, "nap", StepStatus.STARTING)
        run.skip("nap")
        when(run, "after", StepStatus.PAUSED)
        run.resume("after")
        run.wait(PATIENCE_S)
        assert [moment.what for moment in run.timeline("nap")] == [
            "STARTING",
            "RUNNING",
            "to end as SKIPPED",
            "SKIPPED",
        ]
        assert [moment.what for moment in run.timeline("after")][:3] == ["PAUSED", "INITIALIZED", "STARTING"]
        with pytest.raises(NotFound, match="no step 'nop'"):
            run.timeline("nop")


@pytest.mark.usefixtures("flaky")
def test_what_cannot_be_shown_is_one_line(cli: CommandLine) -> None:
    done = cli("show", "flaky", "--events", "--step", "second", code=2)
    assert "--events is for the whole run, --step for one step" in done.stderr
    assert "has no step 'nop'" in cli("show", "flaky", "--step", "nop", code=2).stderr
