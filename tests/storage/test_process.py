"""Which process is this, and is that one dead? Only what is proved counts (PROTOCOL 12)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_flow.storage import process as module
from maestro_flow.storage.process import is_provably_dead, this_process

TELL = "from maestro_flow.storage.process import this_process; print(this_process(), flush=True); input()"


@pytest.fixture
def other() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A process that is alive: what it says of itself, and a handle."""
    command = [sys.executable, "-c", TELL]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        yield child.stdout.readline().strip(), child
        child.kill()


def test_a_process_is_the_same_from_one_moment_to_the_next_and_unlike_any_other(
    other: tuple[str, subprocess.Popen[str]],
) -> None:
    assert this_process() == this_process() != ""
    assert other[0] not in ("", this_process())


def test_a_living_process_is_not_dead(other: tuple[str, subprocess.Popen[str]]) -> None:
    assert not is_provably_dead(this_process())
    assert not is_provably_dead(other[0])


def test_a_process_that_was_killed_is_dead(other: tuple[str, subprocess.Popen[str]]) -> None:
    told, child = other
    child.kill()
    child.wait()
    assert is_provably_dead(told)


def test_a_zombie_is_dead(other: tuple[str, subprocess.Popen[str]]) -> None:
    told, child = other
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and stays unasked for
    assert Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    assert is_provably_dead(told)


def test_another_process_with_the_same_pid_is_not_taken_for_it() -> None:
    """Pids come round again; the start time tells them apart."""
    boot_id, namespaces, pid, started = this_process().split("|")
    assert is_provably_dead("|".join((boot_id, namespaces, pid, str(int(started) - 1))))


def test_nothing_is_proved_across_boots_and_containers() -> None:
    boot_id, namespaces, _, started = this_process().split("|")
    gone = str(2**22 + 1)  # beyond the highest pid
    assert is_provably_dead("|".join((boot_id, namespaces, gone, started)))
    assert not is_provably_dead("|".join(("another-boot", namespaces, gone, started)))
    assert not is_provably_dead("|".join((boot_id, "pid:[1]", gone, started)))


@pytest.mark.parametrize("text", ["", "4711", "|||", "a|b|c|d", "a|b|c|d|e"])
def test_nothing_is_proved_by_words_that_we_did_not_write(text: str) -> None:
    assert not is_provably_dead(text)


def test_a_command_with_brackets_and_spaces_in_its_name_is_understood(tmp_path: Path) -> None:
    odd = tmp_path / "a) R 1 (b"
    odd.symlink_to(sys.executable)
    done = subprocess.run([odd, "-c", TELL.replace("input()", "")], capture_output=True, text=True, check=True)
    assert done.stdout.strip().split("|")[:2] == this_process().split("|")[:2]
    assert done.stdout.strip().split("|")[3].isdecimal()


def test_without_proc_no_process_counts_as_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    boot_id, namespaces, _, started = this_process().split("|")
    monkeypatch.setattr(module, "_PROC", tmp_path)
    assert this_process() == ""
    assert not is_provably_dead("|".join((boot_id, namespaces, str(2**22 + 1), started)))
