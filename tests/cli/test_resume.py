"""A process dies, or is told to stop, in the middle of a run: ``maestro-flow resume`` brings the run to its end."""

from __future__ import annotations

import re
import signal

import pytest

from tests.cli.command_line import CommandLine, gate, no_op, read_until, sleep


def begin(cli: CommandLine) -> None:
    """Run ``first``, ``long`` and ``last``, and kill the process as soon as ``first`` has ended."""
    cli.install_plugin()
    process = cli.start("run", cli.workflow("nightly", no_op("first"), gate("long"), no_op("last")))
    read_until(process, "first SUCCEEDED")
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def test_after_kill_9_the_run_continues_and_repeats_nothing(cli: CommandLine) -> None:
    begin(cli)
    killed = cli.json("show", "nightly")
    assert killed["status"] == "IN_PROGRESS"
    cli.open_gate()
    (resumed,) = cli.json("resume")["runs"]
    assert resumed["status"] == "SUCCEEDED"
    assert resumed["steps"]["first"] == killed["steps"]["first"]
    assert {step_id: (step["status"], step["attempt"]) for step_id, step in resumed["steps"].items()} == {
        "first": ("SUCCEEDED", 1),
        "long": ("SUCCEEDED", 1),
        "last": ("SUCCEEDED", 1),
    }
    assert cli.json("show", "nightly") == resumed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_run_says_how_to_continue(cli: CommandLine, number: signal.Signals) -> None:
    cli.install_plugin()
    process = cli.start("run", cli.workflow("nightly", no_op("first"), gate("long"), no_op("last")))
    read_until(process, "first SUCCEEDED")
    process.send_signal(number)
    assert read_until(process, "to continue: maestro-flow resume")
    assert process.wait() == 128 + number
    cli.open_gate()
    assert "nightly instance 1 run 1 SUCCEEDED" in cli("resume").stdout


def test_resume_takes_up_every_run_oldest_first(cli: CommandLine) -> None:
    cli.install_plugin()
    for workflow_id in ("nightly", "hourly"):
        cli.leave(cli.workflow(workflow_id, no_op("first"), gate("long")), after="first SUCCEEDED")
    cli.open_gate()
    shown = cli("resume").stdout
    assert re.findall(r"^(\w+) instance 1", shown, re.MULTILINE) == ["nightly", "hourly"]
    assert re.findall(r"(\w+) instance 1 run 1 SUCCEEDED", shown) == ["nightly", "hourly"]


def test_resume_with_nothing_to_do_says_so(cli: CommandLine) -> None:
    cli("run", cli.workflow("small", no_op("only")))
    assert cli("resume").stdout.splitlines()[-1] == "every run in the store has ended"
    assert cli.json("resume") == {"runs": []}


def test_resume_exits_with_1_if_a_run_fails(cli: CommandLine) -> None:
    cli.install_plugin()
    steps = [no_op("first"), gate("long"), {"id": "broken", "type": "Broken"}]
    cli.leave(cli.workflow("sad", *steps), after="first SUCCEEDED")
    cli.open_gate()
    assert "sad instance 1 run 1 ended FAILED" in cli("resume", code=1).stderr


def test_resume_exits_with_3_if_the_time_runs_out(cli: CommandLine) -> None:
    begin(cli)
    assert "has not ended in time" in cli("resume", "--timeout", "0.3", code=3).stderr


def test_resume_says_when_step_code_is_missing_and_proceeds_with_the_rest(cli: CommandLine) -> None:
    cli.install_plugin()
    cli.leave(cli.workflow("stranded", no_op("first"), gate("shut")), after="first SUCCEEDED")
    cli.leave(cli.workflow("nightly", no_op("first"), sleep("long", 3.0)), after="first SUCCEEDED")
    cli.uninstall_plugin()
    done = cli("resume", code=1)
    assert "stranded instance 1 run 1 cannot continue here" in done.stderr
    assert "'Gate'" in done.stderr
    assert "nightly instance 1 run 1 SUCCEEDED" in done.stdout
