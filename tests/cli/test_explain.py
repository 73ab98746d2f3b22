"""``maestro-flow explain``: why a run or a step is as it is, as an engine that is another process would have it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from maestro_flow import Engine, NotFound, RunStatus, StepStatus
from tests.cli.command_line import CommandLine, no_op, sleep
from tests.engine.actions_world import PATIENCE_S, sleepers, when


@pytest.fixture
def engine(cli: CommandLine) -> Iterator[Engine]:
    """An engine in this process, on the store that the command line uses."""
    with Engine(f"sqlite:///{cli.folder}/maestro-flow.db") as engine:
        yield engine


def test_a_run_and_its_steps_are_explained_while_it_is_active(cli: CommandLine, engine: Engine) -> None:
    engine.push(sleepers())
    run = engine.start("long", breakpoints=["after"])
    when(run, "nap", StepStatus.STARTING)
    assert cli("explain", "long").stdout.startswith("run long/1/1 is in progress: under way: nap; since 20")
    nap = cli.json("explain", "long", "1", "nap")
    assert nap.keys() == {"workflow_id", "instance_id", "run_id", "step", "sentence", "since"}
    assert nap["sentence"] == "step nap of run long/1/1 attempt 1 is under way"
    assert nap["since"].endswith("Z")
    assert "waits for step nap, which is " in cli("explain", "long", "1", "after").stdout
    run.skip("nap")
    when(run, "after", StepStatus.PAUSED)
    assert "is paused at its breakpoint, until it is resumed; since" in cli("explain", "long", "1", "after").stdout
    run.kill()
    assert run.wait(PATIENCE_S) is RunStatus.FAILED
    assert "ended FAILED: killed by a user" in cli("explain", "long", "--run", "1").stdout
    assert "was skipped by a user" in cli("explain", "long", "1", "nap", "--run", "1").stdout


def test_a_run_that_no_node_holds_is_said_so(cli: CommandLine) -> None:
    cli.leave(cli.workflow("slow", no_op("first"), sleep("long", 3600)), after="long STARTING")
    sentence = cli.json("explain", "slow")["sentence"]
    assert "and no node holds its group" in sentence
    assert sentence.endswith("start one (maestro-flow node)")
    assert "no node holds" not in cli("explain", "slow", "1", "first").stdout, "what has ended needs none"


def test_what_is_not_there_is_one_line(cli: CommandLine, engine: Engine) -> None:
    engine.push(sleepers())
    run = engine.start("long")
    with pytest.raises(NotFound, match="no step 'nop'"):
        run.explain("nop")
    done = cli("explain", "long", "1", "nop", code=2)
    assert done.stderr == "maestro-flow: version 1 of workflow 'long' has no step 'nop'\n"
    assert "there is no run nobody in the store" in cli("explain", "nobody", code=2).stderr
