"""A step type from a package of its own, found by its entry point."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from maestro_flow import StepContext, StepResult, Verdict
from tests.cli.command_line import CommandLine
from tests.examples.conftest import SORT

DEFINITION = SORT / "sort.yaml"
POLLS_MAX = 10_000


def context(folder: Path, file: Path, **fields: Any) -> StepContext:
    given: dict[str, Any] = {
        "workflow_id": "sort", "version": 1, "instance_id": 1, "run_id": 1, "step_id": "sort",
        "attempt": 1, "execution": 1, "generation": 1, "started_at": 0.0, "now": 0.0,
        "params": {"file": str(file), "target": str(folder / "sorted")}, "run_params": {},
    }  # fmt: skip
    return StepContext(**(given | fields))


def poll(step_type: Any, context: StepContext) -> StepResult:
    """Execute until there is a verdict."""
    for _ in range(POLLS_MAX):
        result: StepResult = step_type.execute(context)
        if result.state is not Verdict.CONTINUE:
            return result
        os.sched_yield()
    raise AssertionError("sort does not end")


def test_a_definition_runs_with_it_and_has_its_outputs(cli: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "fruit").write_text("pear\napple\nfig\n")
    run = cli.json("run", DEFINITION, "--param", "file=fruit", "--param", "target=out/sorted")
    assert run["status"] == "SUCCEEDED"
    assert run["steps"]["sort"]["outputs"] == {"path": str(tmp_path / "out" / "sorted"), "lines": 3}
    assert (tmp_path / "out" / "sorted").read_text() == "apple\nfig\npear\n"
    assert run["steps"]["publish"]["status"] == "SUCCEEDED"


def test_what_sort_complains_about_is_the_error_of_the_step(cli: CommandLine) -> None:
    run = cli.json("run", DEFINITION, "--param", "file=nowhere", "--param", "target=sorted", code=1)
    sort = run["steps"]["sort"]
    assert (sort["status"], sort["attempt"]) == ("FATALLY_FAILED", 1)  # the definition allows no retry
    assert "nowhere" in sort["error"]["message"]


def test_without_the_package_the_type_is_unknown(cli: CommandLine) -> None:
    del cli.environment["PYTHONPATH"]
    assert "SortFile" in cli("run", DEFINITION, code=2).stderr


def test_the_artifacts_are_enough_to_find_the_work_again(sort_module: Any, tmp_path: Path) -> None:
    (tmp_path / "fruit").write_text("pear\napple\n")
    begun = context(tmp_path, tmp_path / "fruit")
    artifacts = sort_module.SortFile().start(begun).artifacts
    later = context(tmp_path, tmp_path / "fruit", execution=2, generation=2, artifacts=artifacts)
    assert sort_module.SortFile().start(later).artifacts == {}  # nothing is started a second time
    done = poll(sort_module.SortFile(), later)
    assert done.outputs == {"path": str(tmp_path / "sorted"), "lines": 2}
    assert poll(sort_module.SortFile(), later) == done  # an answer that was lost is given again


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A pipe without a writer: a reader never reaches its end."""
    path = tmp_path / "endless"
    os.mkfifo(path)
    return path


def test_terminate_kills_the_process(sort_module: Any, tmp_path: Path, endless: Path) -> None:
    step_type = sort_module.SortFile()
    running = context(tmp_path, endless)
    running = context(tmp_path, endless, artifacts=step_type.start(running).artifacts)
    assert step_type.execute(running).state is Verdict.CONTINUE
    assert step_type.terminate(running).state is Verdict.STOPPED
    os.waitpid(running.artifacts["pid"], 0)
    assert step_type.execute(running).state is Verdict.PLATFORM_ERROR
    assert step_type.terminate(running).state is Verdict.STOPPED  # a second time does no harm
