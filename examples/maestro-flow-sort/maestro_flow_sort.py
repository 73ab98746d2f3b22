"""The step type ``SortFile``: sorts the lines of a file with the system's ``sort``, in a separate process.

Params: ``file`` and ``target``, paths. Outputs: ``path`` of the sorted file, its ``lines``.

The process outlives this program. Everything needed to find it again goes into the artifacts, so if this program is
killed during the sort, the next one does not start over: it waits for the running process.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from maestro_flow import ParamSpec, ParamType, StepContext, StepResult, StepType, Verdict

__all__ = ["SortFile"]

POLL_S = 0.02

SCRIPT = """
LC_ALL=C sort -o "$1.sorted" -- "$0" 2> "$1.errors"
echo $? > "$1.part" && mv "$1.part" "$1.code"
"""
"""The exit code goes into a file, because only the parent can wait for it, and the reader may be another program."""


class SortFile(StepType):
    """See the module. Stateless, like every step type: one instance serves all steps of this type."""

    contract = 2
    params = (
        ParamSpec("file", ParamType.STRING, required=True, description="the file to sort"),
        ParamSpec("target", ParamType.STRING, required=True, description="where the sorted file is to be"),
    )

    def start(self, context: StepContext) -> StepResult:
        if context.artifacts:  # another program has started this attempt, and was killed
            return StepResult(Verdict.CONTINUE, next_poll_s=0)
        target = Path(context.params["target"]).absolute()
        target.parent.mkdir(parents=True, exist_ok=True)
        # A name for this execution: an abandoned one may still be writing.
        work = f"{target}.{context.generation}-{context.attempt}-{context.execution}"
        pid = os.posix_spawnp("sh", ["sh", "-c", SCRIPT, context.params["file"], work], os.environ, setpgroup=0)
        return StepResult(
            Verdict.CONTINUE,
            artifacts={"pid": pid, "work": work, "target": str(target)},
            timeline=(f"sort runs as process {pid}",),
            next_poll_s=POLL_S,
        )

    def execute(self, context: StepContext) -> StepResult:
        pid, work = context.artifacts["pid"], Path(context.artifacts["work"])
        code = ended(work)
        if code is None and is_alive(pid):
            return StepResult(Verdict.CONTINUE, next_poll_s=POLL_S)
        code = ended(work)  # it may have ended between the two checks
        if code is None:
            return StepResult.failed(Verdict.PLATFORM_ERROR, f"process {pid} is gone and has left no exit code")
        if code != 0:
            return StepResult.failed(Verdict.USER_ERROR, sibling(work, "errors").read_text().strip())
        target = Path(context.artifacts["target"])
        if sibling(work, "sorted").exists():  # otherwise an earlier call got this far, and its answer was lost
            sibling(work, "sorted").replace(target)
        with target.open("rb") as lines:
            return StepResult(outputs={"path": str(target), "lines": sum(1 for _ in lines)})

    def terminate(self, context: StepContext) -> StepResult:
        if context.artifacts and ended(Path(context.artifacts["work"])) is None:
            with suppress(ProcessLookupError):
                os.killpg(context.artifacts["pid"], signal.SIGKILL)
        return StepResult(Verdict.STOPPED)


def sibling(work: Path, suffix: str) -> Path:
    return work.with_name(f"{work.name}.{suffix}")


def ended(work: Path) -> int | None:
    """The exit code of the sort, or None if it has not ended."""
    code = sibling(work, "code")
    return int(code.read_text()) if code.exists() else None


def is_alive(pid: int) -> bool:
    """Whether a process is alive; one that this program has started stays a zombie until it is waited for."""
    with suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
