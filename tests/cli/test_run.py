"""``maestro-flow run``: what it prints, what it returns, and what it leaves behind."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from maestro_flow.cli.exits import Exit
from maestro_flow.cli.main import cli as command
from maestro_flow.client.run import Run
from maestro_flow.clock import ManualClock
from maestro_flow.engine import Engine
from tests.cli.command_line import ROOT, CommandLine, no_op, read_until, sleep
from tests.samples import sample as sample_file

RUN_KEYS = ["workflow_id", "version", "instance_id", "run_id", "status", "create_time", "start_time", "end_time"]
STEP_KEYS = {"status", "attempt", "start_time", "end_time", "params", "outputs", "error"}
STEP_LINE = re.compile(r"\d\d:\d\d:\d\d\.\d{3} (\S+) (\S+) attempt 1 \d+\.\d{3} s")


def test_a_run_that_succeeds_exits_with_0_and_says_where_it_is_kept(cli: CommandLine) -> None:
    done = cli("run", cli.workflow("small", no_op("only")))
    assert done.stdout.splitlines()[0] == "store sqlite:///maestro-flow.db"
    assert re.search(r"small instance 1 run 1 SUCCEEDED \d+\.\d{3} s$", done.stdout.splitlines()[-1])
    assert (cli.folder / "maestro-flow.db").exists()


def test_a_pipe_gets_one_line_for_each_end_of_a_step_in_order(cli: CommandLine) -> None:
    done = cli("run", cli.workflow("chain", no_op("a"), sleep("b", 0.01), no_op("c")))
    ends = [line.groups() for line in map(STEP_LINE.fullmatch, done.stdout.splitlines()) if line]
    assert ends == [("a", "SUCCEEDED"), ("b", "SUCCEEDED"), ("c", "SUCCEEDED")]
    assert "\x1b" not in done.stdout


def test_json_on_stdout_is_one_document_with_every_step(cli: CommandLine) -> None:
    run = cli.json("run", cli.workflow("small", sleep("a", 0.01), no_op("b")), "--param", "day=7")
    assert list(run) == [*RUN_KEYS, "instance_status", "reason", "blocking", "params", "steps"]
    assert (run["instance_status"], run["reason"], run["blocking"]) == ("SUCCEEDED", None, False)
    assert [run[key] for key in RUN_KEYS[:5]] == ["small", 1, 1, 1, "SUCCEEDED"]
    assert run["params"] == {"day": 7}
    assert list(run["steps"]) == ["a", "b"]
    first = run["steps"]["a"]
    assert first.keys() >= STEP_KEYS
    assert (first["status"], first["attempt"], first["error"]) == ("SUCCEEDED", 1, None)
    assert first["params"] == {"sleep_seconds": 0.01}
    began, ended = (datetime.fromisoformat(first[key]) for key in ("start_time", "end_time"))
    assert began <= ended  # a sleep is counted from the recorded start, and a slow commit may use all of it
    assert first["end_time"].endswith("Z")


def test_with_json_the_store_is_named_on_stderr(cli: CommandLine) -> None:
    done = cli("run", cli.workflow("small", no_op("only")), "--json")
    assert done.stderr.splitlines() == ["store sqlite:///maestro-flow.db"]


def test_the_same_file_again_is_the_next_instance_of_the_same_version(cli: CommandLine) -> None:
    file = cli.workflow("small", no_op("only"))
    runs = [cli.json("run", file), cli.json("run", file)]
    assert [(run["version"], run["instance_id"]) for run in runs] == [(1, 1), (1, 2)]


def test_a_run_that_fails_exits_with_1_and_names_the_error(cli: CommandLine) -> None:
    cli.install_plugin()
    file = cli.workflow("sad", {"id": "broken", "type": "Broken"}, no_op("after"))
    done = cli("run", file, code=1)
    assert "broken FATALLY_FAILED attempt 1" in done.stdout
    assert "no more eggs" in done.stdout
    assert done.stderr == "sad instance 1 run 1 ended FAILED; for more: maestro-flow show sad 1\n"
    step = cli.json("run", file, code=1)["steps"]["broken"]
    assert step["error"] == {"type": "StepFailed", "message": "no more eggs", "traceback": ""}


def test_outputs_and_results_of_a_plugins_step_are_in_the_document(cli: CommandLine) -> None:
    cli.install_plugin()
    echo = {"id": "echo", "type": "Echo", "params": {"say": {"value": "spam", "type": "STRING"}, "said": ""}}
    step = cli.json("run", cli.workflow("eggs", echo), "--param", "who=me")["steps"]["echo"]
    assert step["outputs"] == {"said": "spam"}
    assert step["result"] == {"who": "me"}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("n=7", 7),
        ("n=true", True),
        ("n=[1, 2]", [1, 2]),
        ("n=spam", "spam"),
        ("n=a=b", "a=b"),
        ("day=20260101", "20260101"),
    ],
)
def test_a_param_is_json_where_it_can_be_and_text_where_it_is_declared_so(
    cli: CommandLine, option: str, value: object
) -> None:
    file = cli.workflow("params", no_op("only"), params={"day": {"value": "", "type": "STRING"}})
    assert cli.json("run", file, "--param", option)["params"][option.partition("=")[0]] == value


def test_the_store_comes_from_the_environment_and_the_option_wins(cli: CommandLine) -> None:
    file = cli.workflow("small", no_op("only"))
    cli.environment["MAESTRO_FLOW_STORE"] = "sqlite:///environment.db"
    cli("run", file)
    cli("run", file, "--store", "sqlite:///option.db")
    assert {path.name for path in cli.folder.glob("*.db")} == {"environment.db", "option.db"}


def test_a_run_in_memory_leaves_nothing(cli: CommandLine) -> None:
    file = cli.workflow("small", no_op("only"))
    cli("run", file, "--store", "memory://")
    assert list(cli.folder.iterdir()) == [file]


def test_a_run_that_takes_too_long_exits_with_3_and_is_kept(cli: CommandLine) -> None:
    file = cli.workflow("slow", sleep("long", 3600))
    done = cli("run", file, "--timeout", "0.3", "--json", code=3)
    assert json.loads(done.stdout)["status"] in {"CREATED", "IN_PROGRESS"}  # a busy machine may not have begun
    assert "slow instance 1 run 1 has not ended in time; to continue: maestro-flow resume" in done.stderr
    assert cli.json("show", "slow")["end_time"] is None


def test_the_timeout_counts_from_the_start_of_the_run(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    start = Engine.start

    def start_slowly(*args: Any, **options: Any) -> Run:
        clock.advance(3600)
        return start(*args, **options)

    monkeypatch.setattr("maestro_flow.cli.progress.SystemClock", lambda: clock)
    monkeypatch.setattr(Engine, "start", start_slowly)
    args = ["run", str(cli.workflow("small", no_op("only"))), "--timeout", "60", "--store", "memory://"]
    done = CliRunner().invoke(command, args, standalone_mode=False)
    assert (done.return_value, done.exception) == (Exit.OK, None)


def test_two_processes_run_on_one_file_at_the_same_time(cli: CommandLine) -> None:
    file = cli.workflow("long", no_op("a"), sleep("b", 0.5))
    other = cli.start("run", file)
    read_until(other, "a SUCCEEDED")
    assert cli.json("run", file)["status"] == "SUCCEEDED"
    assert read_until(other, "run 1 SUCCEEDED")
    assert other.wait() == 0


@pytest.mark.parametrize("number", [6, 7])
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_netflix_samples_run(cli: CommandLine, tmp_path: Path, number: int, form: str) -> None:
    sample = sample_file(f"sample-dag-test-{number}.json")
    if form == "yaml":  # JSON is YAML, and so the second reader is put to the test with the same content
        sample = tmp_path / "sample.yaml"
        sample.write_bytes((sample_file(f"sample-dag-test-{number}.json")).read_bytes())
    run = cli.json("run", sample)
    assert run["status"] == "SUCCEEDED"
    assert {step_id: step["status"] for step_id, step in run["steps"].items()} == {
        f"job.{n}": "SUCCEEDED" for n in range(1, 9)
    }


def test_the_example_forks_and_joins(cli: CommandLine) -> None:
    steps = cli.json("run", ROOT / "examples" / "nightly.yaml")["steps"]
    extracts = [steps["extract-orders"], steps["extract-customers"]]
    assert max(step["start_time"] for step in extracts) < min(step["end_time"] for step in extracts)
    assert max(step["end_time"] for step in extracts) <= steps["join"]["start_time"]


def test_python_m_is_the_same_program(cli: CommandLine) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "maestro_flow", "--version"]
    done = subprocess.run(command, cwd=cli.folder, capture_output=True, text=True, check=True)
    assert done.stdout == cli("--version").stdout
