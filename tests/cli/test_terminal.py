"""What a person sees: the program on a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from pathlib import Path

from tests.cli.command_line import PROGRAM, CommandLine, no_op, sleep


def on_terminal(cli: CommandLine, *args: str | Path, rows: int = 24, columns: int = 100) -> tuple[int, str]:
    """Exit code and all that a terminal of this size received, with its escape codes."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environment = cli.environment | {"TERM": "xterm-256color"}
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
        environment.pop(name, None)
    with subprocess.Popen(
        [PROGRAM, *map(str, args)], cwd=cli.folder, env=environment, stdin=its, stdout=its, stderr=its
    ) as process:
        os.close(its)
        received = bytearray()
        while chunk := read(ours):
            received += chunk
    os.close(ours)
    return process.returncode, received.decode().replace("\r\n", "\n")


def read(terminal: int) -> bytes:
    """The next output; empty at the end, which Linux tells by an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_a_run_is_a_table_that_changes_in_place_and_stays_at_the_end(cli: CommandLine) -> None:
    code, seen = on_terminal(cli, "run", cli.workflow("chain", no_op("a"), sleep("b", 0.3), no_op("c")))
    assert code == 0
    assert "\x1b[1A" in seen  # the cursor went up, to draw the table again
    assert "1 of 3 steps have ended" in seen
    last_table = seen[seen.rindex("STEP") :]
    assert last_table.count("\x1b[32mSUCCEEDED") == 3
    assert "chain instance 1 run 1 SUCCEEDED" in last_table.splitlines()[-1]


def test_a_table_that_is_too_long_for_the_terminal_shows_what_is_at_work(cli: CommandLine) -> None:
    steps = [*(no_op(f"quick-{n}") for n in range(20)), sleep("slow", 0.5), *(no_op(f"late-{n}") for n in range(20))]
    code, seen = on_terminal(cli, "run", cli.workflow("tall", *steps), rows=10)
    assert code == 0
    while_slow = seen[: seen.rindex("20 of 41 steps have ended")]
    assert "slow" in while_slow[while_slow.rindex("STEP") :]
    assert "late-19" in seen[seen.rindex("STEP") :]


def test_brackets_in_a_message_are_not_markup(cli: CommandLine) -> None:
    code, seen = on_terminal(cli, "run", cli.workflow("odd", {"id": "a", "type": "Sleep", "params": BAD_SLEEP}))
    assert code == 1
    assert "[bold]" in seen


BAD_SLEEP = {"sleep_seconds": {"expression": "'[bold]'", "type": "STRING"}}  # a literal would be refused before the run


def test_show_and_list_have_colours(cli: CommandLine) -> None:
    cli("run", cli.workflow("small", no_op("only")))
    for args in (["show", "small"], ["list"]):
        code, seen = on_terminal(cli, *args)
        assert code == 0
        assert "\x1b[32mSUCCEEDED" in seen
