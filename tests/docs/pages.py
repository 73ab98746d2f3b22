"""Fenced code blocks of Markdown pages, and how each kind is run.

    ```python            a program of its own, run in the page's temp folder; a block whose first line is "# continues"
                         is the next part of the program in the block before it
    ```bash, ```console  commands (in a console block after "$ "), one a line, of RUNNABLE programs; each must exit with
                         0, or with N where the line ends in "# exit N"
    ```sh                installs something: not run here, but every line must be known (INSTALLS)
    ```yaml, ```json, ```python after <!-- file: NAME -->     written to the page's temp folder
    ```text, ```toml, ```mermaid, and others of NOT_RUN       only shown

All blocks of a page share one temp folder and run in the order of the page. ``sleep`` in a command waits until a step
of a run is active (``wait_for_a_step``), however many seconds the page says.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from attrs import evolve, frozen

from maestro_flow.config.configuration import ENVIRONMENT_PREFIX

NOT_RUN = frozenset({"json", "mermaid", "text", "toml", "yaml"})
RUNNABLE = frozenset({"maestro-flow", "python"})
INSTALLS = frozenset(
    {
        "pip install -e '.[test]'",
        "pip install 'maestro-flow[conformance]'",
        "pip install maestro-flow",
        "python3 dev.py check",
        "python3 dev.py demo",
        "python3 dev.py test",
    }
)
"""Lines of ``sh`` blocks; .ci/run runs those of dev.py in a fresh clone."""

COMMAND_TIMEOUT_S = 60

SLEEP = f"sleep() {{ python {Path(__file__).with_name('wait_for_a_step.py')}; }}; "

FENCE = re.compile(r"^(?P<fence>`{3,})(?P<language>\w*)")
FILE_NAME = re.compile(r"^<!-- file: (?P<name>[\w.-]+) -->$")
EXIT_CODE = re.compile(r"\s+# exit (?P<code>\d+)$")
ASSIGNMENT = re.compile(r"^\w+=")


@frozen
class Block:
    """A fenced block; ``line`` is that of its first line of text, ``file`` the name it is to be written to, or ""."""

    page: Path
    line: int
    language: str
    text: str
    file: str = ""

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}"


class BlockFailed(AssertionError):
    """A block does not do what the page says."""


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page in order.

    Raises:
        BlockFailed: the last block is not closed.
    """
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), start=1))
    file = ""
    for number, line in lines:
        opening = FENCE.match(line)
        if opening is None:
            named = FILE_NAME.match(line.strip())
            file = named["name"] if named else file if not line.strip() else ""
            continue
        text = []
        for _, inner in lines:
            if inner.rstrip() == opening["fence"]:
                break
            text.append(inner)
        else:
            raise BlockFailed(f"{page.name}:{number}: the block is not closed")
        yield Block(page, number + 1, opening["language"], "\n".join(text), file)
        file = ""


def programs(page: Path) -> list[Block]:
    """The blocks of a page, with each "# continues" block joined to the program before it."""
    joined: list[Block] = []
    for block in blocks(page):
        if block.language == "python" and block.text.startswith("# continues"):
            if not joined or joined[-1].language != "python":
                raise BlockFailed(f"{block.place}: only a python block can be continued")
            joined[-1] = evolve(joined[-1], text=f"{joined[-1].text}\n{block.text}")
        else:
            joined.append(block)
    return joined


def run_page(page: Path, folder: Path) -> None:
    """Write, run or check every block of a page.

    Raises:
        BlockFailed: says which block, and what it printed.
    """
    for block in programs(page):
        if block.file:
            (folder / block.file).write_text(block.text + "\n", encoding="utf-8")
        match block.language:
            case "python":
                name = block.file or f"block_{block.line}.py"
                (folder / name).write_text(block.text + "\n", encoding="utf-8")
                run_command(block, f"python {name}", folder)
            case "bash" | "console":
                for command in commands(block):
                    run_command(block, command, folder)
            case "sh":
                for command in commands(block):
                    if command not in INSTALLS:
                        raise BlockFailed(f"{block.place}: {command!r} is run nowhere; see INSTALLS in {__file__}")
            case language if language not in NOT_RUN:
                raise BlockFailed(f"{block.place}: a block must be one of those in {__file__}, not {language!r}")


def commands(block: Block) -> list[str]:
    """The commands of a shell block, with continued lines joined, without comments and what a console printed."""
    lines = block.text.replace("\\\n", " ").splitlines()
    if block.language == "console":
        lines = [line[2:] for line in lines if line.startswith("$ ")]
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def run_command(block: Block, command: str, folder: Path) -> None:
    """Run one line in a shell that finds this Python's programs first."""
    words = [word for word in command.split() if not ASSIGNMENT.match(word)]
    if words[0] not in RUNNABLE:
        raise BlockFailed(f"{block.place}: {words[0]!r} is not among the programs that a page may run: {command}")
    code = EXIT_CODE.search(command)
    expected = int(code["code"]) if code else 0
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", SLEEP + command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=COMMAND_TIMEOUT_S,
        check=False,
    )
    if done.returncode != expected:
        raise BlockFailed(
            f"{block.place}: {command!r} exited with {done.returncode}, not {expected}, and printed:\n{done.stdout}"
        )
