"""The commands that act on runs and steps, each a process of its own; the engine that owns the runs is another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from maestro_flow import Engine, Run, RunStatus, StepStatus, Workflow, load_definition
from tests.cli.command_line import CommandLine, no_op, read_until, sleep
from tests.engine.actions_world import PATIENCE_S, sleepers, statuses, when


@pytest.fixture
def engine(cli: CommandLine) -> Iterator[Engine]:
    """An engine in this process, on the store that the command line uses."""
    with Engine(f"sqlite:///{cli.folder}/maestro-flow.db") as engine:
        yield engine


@pytest.fixture
def napping(engine: Engine) -> Run:
    engine.push(sleepers())
    run = engine.start("long")
    when(run, "nap", StepStatus.STARTING)
    return run


@pytest.fixture
def failing(engine: Engine) -> Callable[[], Run]:
    """Starts a run whose step ``load`` fails; it has ended."""
    wf = Workflow("etl", params={"day": 1})
    wf.add("extract", type="NoOp")

    @wf.step(after=["extract"])
    def load(day: int, table: str = "none") -> str:
        if day < 7:
            raise ValueError("too early")
        return f"{table} of {day}"

    engine.push(wf)

    def start() -> Run:
        run = engine.start("etl")
        assert run.wait(PATIENCE_S) is RunStatus.FAILED
        return run

    return start


def refused(cli: CommandLine, *args: str) -> str:
    """The one line of a command that is refused."""
    done = cli(*args, code=2)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("command", "status", "done"),
    [("stop", RunStatus.STOPPED, "stopping"), ("kill", RunStatus.FAILED, "killing")],
)
def test_a_run_is_ended(cli: CommandLine, napping: Run, command: str, status: RunStatus, done: str) -> None:
    assert cli(command, "long").stdout == f"long instance 1 run 1: {done}\n"
    assert napping.wait(PATIENCE_S) is status
    line = refused(cli, command, "long", "1")
    assert line.startswith(
        f"maestro-flow: run long/1/1 cannot be {'stopped' if command == 'stop' else 'killed'}: it is"
    )


def test_a_step_is_stopped(cli: CommandLine, napping: Run) -> None:
    assert cli("stop", "long", "1", "nap").stdout == "long instance 1 run 1 step nap: stopping\n"
    assert napping.wait(PATIENCE_S) is RunStatus.STOPPED


def test_a_step_is_skipped(cli: CommandLine, napping: Run) -> None:
    document = cli.json("skip", "long", "1", "nap", "--run", "1")
    assert (document["run_id"], document["step"], document["done"]) == (1, "nap", "skipped")
    assert napping.wait(PATIENCE_S) is RunStatus.SUCCEEDED


def test_a_step_is_paused_at_a_breakpoint_and_resumed(cli: CommandLine, napping: Run) -> None:
    assert cli("breakpoint", "long", "1", "after").stdout == "long instance 1 run 1 step after: breakpoint set\n"
    napping.skip("nap")
    when(napping, "after", StepStatus.PAUSED)
    assert "to continue: maestro-flow resume-step" in cli("show", "long").stdout
    assert "breakpoint cleared" in cli("breakpoint", "--clear", "long", "1", "after").stdout
    assert cli("resume-step", "long", "1", "after").stdout == "long instance 1 run 1 step after: resumed\n"
    assert napping.wait(PATIENCE_S) is RunStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("pause", "long", "1", "nap"), "cannot be paused: step nap is "),
        (("resume-step", "long", "1", "nap"), "cannot be resumed: step nap is "),
        (("skip", "long", "1", "nop"), "version 1 of workflow 'long' has no step 'nop'"),
        (("unblock", "long"), "cannot be unblocked: the run is IN_PROGRESS"),
        (("restart", "long"), "cannot be restarted: it is IN_PROGRESS; stop it first"),
        (("stop", "short"), "there is no run short in the store"),
        (("restart", "long", "--step-param", "nop.day=1"), "'nop.day=1' is not STEP.NAME=VALUE with a step of the wo"),
        (("restart", "long", "--step-param", "nap.sleep_seconds=many"), "--step-param nap"),
        (("restart", "long", "--param", "day"), "'day' is not NAME=VALUE"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_code_2(
    cli: CommandLine, napping: Run, args: tuple[str, ...], message: str
) -> None:
    assert message in refused(cli, *args)
    assert statuses(napping)["nap"] in ("STARTING", "RUNNING")


def test_a_step_whose_code_no_node_has_is_paused(cli: CommandLine) -> None:
    cli.install_plugin()
    cli.leave(cli.workflow("eggs", {"id": "egg", "type": "Broken"}), "--breakpoint", "egg", after="egg PAUSED")
    cli.uninstall_plugin()
    node = cli.start("node")
    read_until(node, "node is running")
    cli("resume-step", "eggs", "1", "egg")
    assert cli("pause", "eggs", "1", "egg").stdout == "eggs instance 1 run 1 step egg: paused\n"
    assert cli.json("show", "eggs")["steps"]["egg"]["status"] == "PAUSED"


def test_what_is_incomplete_is_restarted_with_other_params(cli: CommandLine, failing: Callable[[], Run]) -> None:
    failing()
    line = cli("restart", "etl", "--param", "day=7", "--step-param", "load.table=rows", "--breakpoint", "load").stdout
    assert line == "etl instance 1 run 2: restarted\n"


def test_a_restart_from_a_step_from_the_beginning_and_without_a_step(
    cli: CommandLine, engine: Engine, failing: Callable[[], Run]
) -> None:
    failing()
    assert cli.json("restart", "etl", "1", "--step", "load")["run_id"] == 2
    assert engine.find("etl").wait(PATIENCE_S) is RunStatus.FAILED
    assert cli.json("restart", "etl", "--from-beginning", "--request-id", "r")["run_id"] == 3
    assert engine.find("etl").wait(PATIENCE_S) is RunStatus.FAILED
    assert cli.json("restart", "etl", "--from-beginning", "--request-id", "r", "--run", "2")["run_id"] == 3
    assert cli.json("restart", "etl", "--skip", "load")["run_id"] == 4
    assert engine.find("etl").wait(PATIENCE_S) is RunStatus.SUCCEEDED
    assert "every step of it is complete" in refused(cli, "restart", "etl")
    assert cli.json("skip", "etl", "1", "load")["run_id"] == 5, "a step of a run that has ended"


def test_a_node_that_does_not_answer_in_time_is_exit_code_3(cli: CommandLine) -> None:
    cli.leave(cli.workflow("slow", no_op("first"), sleep("long", 3600)), after="long STARTING")
    done = cli("stop", "slow", "--timeout", "0.1", code=3)
    assert done.stderr == (
        "maestro-flow: no owner of run slow/1/1 has answered the stop after 0.1 s; the request stands\n"
    )
    with Engine(f"sqlite:///{cli.folder}/maestro-flow.db") as engine:
        assert engine.find("slow").wait(PATIENCE_S) is RunStatus.STOPPED


def test_run_takes_step_params_and_breakpoints(cli: CommandLine) -> None:
    file = cli.workflow("short", no_op("first"), sleep("long", 3600))
    assert "long" in cli("run", file, "--step-param", "long.sleep_seconds=many", code=2).stderr
    cli("run", file, "--step-param", "long.sleep_seconds=0")
    cli.leave(file, "--breakpoint", "first", after="first PAUSED")
    assert cli.json("show", "short")["steps"]["first"]["breakpoint"] is True
    assert "has no step 'nop'" in cli("run", file, "--breakpoint", "nop", code=2).stderr


def test_a_node_answers(cli: CommandLine) -> None:
    definition = load_definition(cli.workflow("slow", sleep("long", 3600))).definition
    node = cli.start("node")
    read_until(node, "node is running")
    with Engine(f"sqlite:///{cli.folder}/maestro-flow.db") as engine:
        engine.push(definition)
        run = engine.start("slow")
        when(run, "long", StepStatus.STARTING)
        cli("stop", "slow")
        assert run.wait(PATIENCE_S) is RunStatus.STOPPED
