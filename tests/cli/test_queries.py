"""``maestro-flow list`` and ``show``, and the help."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.command_line import CommandLine, no_op, sleep


@pytest.fixture(scope="module")
def three_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """A store with two runs of ``small``, then one of ``slow`` that has not ended; it is only looked at."""
    with CommandLine(tmp_path_factory.mktemp("three_runs")) as cli:
        file = cli.workflow("small", no_op("a"), no_op("b"))
        cli("run", file)
        cli("run", file, "--param", "day=7")
        cli.leave(cli.workflow("slow", no_op("first"), sleep("long", 3600)), after="long STARTING")
        yield cli


def names(document: dict[str, list[dict[str, object]]]) -> list[str]:
    return [f"{run['workflow_id']}/{run['instance_id']}/{run['run_id']} {run['status']}" for run in document["runs"]]


def test_runs_are_listed_newest_first(three_runs: CommandLine) -> None:
    expected = ["slow/1/1 IN_PROGRESS", "small/2/1 SUCCEEDED", "small/1/1 SUCCEEDED"]
    assert names(three_runs.json("list")) == expected
    header, *rows = three_runs("list").stdout.splitlines()
    assert header.split() == ["WORKFLOW", "INSTANCE", "RUN", "VERSION", "STATUS", "CREATED", "TIME"]
    assert [row.split()[:5] for row in rows] == [
        ["slow", "1", "1", "1", "IN_PROGRESS"],
        ["small", "2", "1", "1", "SUCCEEDED"],
        ["small", "1", "1", "1", "SUCCEEDED"],
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--workflow", "slow"], ["slow/1/1 IN_PROGRESS"]),
        (["--status", "succeeded", "--limit", "1"], ["small/2/1 SUCCEEDED"]),
        (["--status", "FAILED"], []),
        (["--status", "FAILED", "--status", "IN_PROGRESS"], ["slow/1/1 IN_PROGRESS"]),
    ],
)
def test_the_list_is_filtered(three_runs: CommandLine, options: list[str], expected: list[str]) -> None:
    assert names(three_runs.json("list", *options)) == expected


def test_show_tells_the_latest_run_or_the_one_that_is_named(three_runs: CommandLine) -> None:
    assert three_runs.json("show", "small")["params"] == {"day": 7}
    assert three_runs.json("show", "small", "1")["params"] == {}
    assert three_runs.json("show", "small", "1", "--run", "1")["instance_id"] == 1


def test_show_prints_the_steps_as_they_are(three_runs: CommandLine) -> None:
    lines = three_runs("show", "slow").stdout.splitlines()
    assert lines[0].startswith("slow instance 1 run 1 IN_PROGRESS")
    assert lines[1].split() == ["STEP", "STATUS", "ATTEMPT", "STARTED", "TIME", "NOTE"]
    assert lines[2].split()[:3] == ["first", "SUCCEEDED", "1"]
    assert lines[3].split()[0] == "long"


def test_show_prints_params_outputs_and_errors(cli: CommandLine) -> None:
    cli.install_plugin()
    echo = {"id": "echo", "type": "Echo", "params": {"say": {"value": "spam", "type": "STRING"}, "said": ""}}
    cli("run", cli.workflow("eggs", echo, {"id": "broken", "type": "Broken"}), "--param", "day=7", code=1)
    shown = cli("show", "eggs").stdout
    assert 'params {"day": 7}' in shown
    assert 'echo outputs {"said": "spam"}' in shown
    assert 'echo result {"day": 7}' in shown
    assert "StepFailed: no more eggs" in shown


@pytest.mark.parametrize("args", [[], ["--help"], ["-h"]])
def test_the_help_names_every_command_and_the_exit_codes(cli: CommandLine, args: list[str]) -> None:
    text = cli(*args).stdout
    assert [name for name in ("run", "resume", "node", "list", "show", "Exit code") if name not in text] == []


def test_the_version_is_printed(cli: CommandLine) -> None:
    assert cli("--version").stdout.startswith("maestro-flow ")
