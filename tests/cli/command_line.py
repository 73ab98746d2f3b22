"""Running ``maestro-flow`` as a process of its own, to its end or in the background."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PROGRAM = str(Path(sys.executable).parent / "maestro-flow")
ROOT = Path(__file__).resolve().parents[2]

PLUGIN = """
from pathlib import Path

from maestro_flow.steps.contract import StepResult, StepType
from maestro_flow.model.status import Verdict

class Broken(StepType):
    def execute(self, context):
        return StepResult.failed(Verdict.FATAL_ERROR, "no more eggs")

class Echo(StepType):
    def execute(self, context):
        return StepResult(outputs={"said": context.params["say"]}, value=dict(context.run_params))

class Gate(StepType):
    def execute(self, context):
        return StepResult() if Path("open").exists() else StepResult(Verdict.CONTINUE, next_poll_s=0.05)
"""
ENTRY_POINTS = "[maestro_flow.step_types]\nBroken = eggs:Broken\nEcho = eggs:Echo\nGate = eggs:Gate\n"


class CommandLine:
    """The program in a folder; ``environment`` is what it sees, without settings of the surroundings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("MAESTRO_FLOW_")}
        self._started: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._started:
            process.kill()
            process.communicate()

    def __call__(self, *args: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run to the end and check the exit code."""
        done = subprocess.run(
            [PROGRAM, *map(str, args)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, f"{args} exited with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def json(self, *args: str | Path, code: int = 0) -> Any:
        """Run with ``--json``; stdout must be one document and nothing else."""
        return json.loads(self(*args, "--json", code=code).stdout)

    def start(self, *args: str | Path) -> subprocess.Popen[str]:
        """Run in the background, with stdout and stderr to be read line by line."""
        process = subprocess.Popen(
            [PROGRAM, *map(str, args)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._started.append(process)
        return process

    def leave(self, file: Path, *options: str, after: str) -> None:
        """Run a definition and stop the process as soon as it prints ``after``: the run has not ended then."""
        process = self.start("run", file, *options)
        read_until(process, after)
        process.terminate()
        read_until(process, "to continue: maestro-flow resume")
        assert process.wait() == 128 + signal.SIGTERM

    def workflow(self, workflow_id: str, *steps: dict[str, Any], **workflow: Any) -> Path:
        """Write a definition whose steps follow one another in a line."""
        chain: list[dict[str, Any]] = []
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            transition = {"transition": {"successors": {following["id"]: "true"}}} if following else {}
            chain.append({"step": step | transition})
        path = self.folder / f"{workflow_id}.json"
        path.write_text(json.dumps({"workflow": {"id": workflow_id, "steps": chain} | workflow}), encoding="utf-8")
        return path

    def install_plugin(self) -> None:
        """Put a distribution beside the installed ones: ``Broken`` fails, ``Echo`` has outputs, ``Gate`` waits."""
        site = self.folder / "site"
        metadata = site / "eggs-1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: eggs\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
        (site / "eggs.py").write_text(PLUGIN)
        self.environment["PYTHONPATH"] = str(site)

    def open_gate(self) -> None:
        """Let the steps of type ``Gate`` end, in whatever process."""
        (self.folder / "open").touch()

    def uninstall_plugin(self) -> None:
        del self.environment["PYTHONPATH"]


def no_op(step_id: str) -> dict[str, Any]:
    return {"id": step_id, "type": "NoOp"}


def sleep(step_id: str, seconds: float) -> dict[str, Any]:
    return {"id": step_id, "type": "Sleep", "params": {"sleep_seconds": {"value": seconds, "type": "DOUBLE"}}}


def gate(step_id: str) -> dict[str, Any]:
    """A step of the plugin that ends as soon as the gate is open: however slow a process is, it does not end before."""
    return {"id": step_id, "type": "Gate"}


def read_until(process: subprocess.Popen[str], text: str) -> list[str]:
    """The lines of a background process up to the first one that holds ``text``."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if text in line:
            return lines
    raise AssertionError(f"{text!r} never came, but:\n" + "\n".join(lines))
