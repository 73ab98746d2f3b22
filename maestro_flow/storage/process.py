"""Which process is this, and is that one provably dead? (PROTOCOL 12)

An owner that died on this host can be replaced at once instead of when its lease runs out. That is a shortcut and no
more: the generation keeps it safe. So the proof errs on one side only, and where nothing can be told, nothing is dead.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["is_provably_dead", "this_process"]

_PROC = Path("/proc")
_SEPARATOR = "|"
_DEAD_STATES = ("Z", "X", "x")  # a zombie runs no code any more: it only waits for its parent


def this_process() -> str:
    """Boot id, namespaces, pid and start time of this process, or "" where they cannot be told (not Linux, no /proc).

    A pid alone names another process tomorrow; with its start time (ticks since boot) and the boot it is unique.
    """
    try:
        pid, _, started = _stat("self")
        if pid != os.getpid():
            return ""  # this /proc shows another pid namespace than ours
        return _SEPARATOR.join((_boot_id(), _namespaces(), str(pid), started))
    except (OSError, ValueError):
        return ""


def is_provably_dead(process: str) -> bool:
    """True only if ``process`` (of ``this_process``) ran under this boot, in our namespaces, and is there no more."""
    try:
        boot_id, namespaces, pid, started = process.split(_SEPARATOR)
        if [boot_id, namespaces] != this_process().split(_SEPARATOR)[:2]:
            return False
        if not _exists(int(pid)):
            return True
        _, state, started_there = _stat(pid)
    except (OSError, ValueError):
        return False  # hidden from us, gone this very moment, or not from this_process: the lease decides
    return started_there != started or state in _DEAD_STATES


def _exists(pid: int) -> bool:
    """By signal 0 and not by /proc, which may hide the processes of other users (hidepid)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _stat(pid: str) -> tuple[int, str, str]:
    """(pid, state, start time in ticks since boot). The command's name, in brackets, may contain anything."""
    head, _, tail = (_PROC / pid / "stat").read_text(errors="replace").rpartition(")")
    fields = tail.split()
    return int(head.split(maxsplit=1)[0]), fields[0], fields[19]


def _boot_id() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def _namespaces() -> str:
    """Of pids, because they are numbers within one; of time, because start times are shifted by one."""
    time_namespace = _PROC / "self/ns/time"
    return (_PROC / "self/ns/pid").readlink().name + (time_namespace.readlink().name if time_namespace.exists() else "")
