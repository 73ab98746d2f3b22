"""The identity of this process, and whether another one is provably dead (PROTOCOL 12).

An owner that died on this host can be replaced at once instead of when its lease expires. That is only a shortcut:
generations keep it safe. The proof errs only on the safe side: in doubt, a process counts as alive.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["is_provably_dead", "this_process"]

_PROC = Path("/proc")
_SEPARATOR = "|"
_DEAD_STATES = ("Z", "X", "x")  # a zombie runs no more code: it only waits for its parent


def this_process() -> str:
    """Boot id, namespaces, pid and start time of this process; "" where they are unknown (not Linux, no /proc).

    A pid alone names another process tomorrow; with its start time (ticks since boot) and the boot it is unique.
    """
    try:
        pid, _, started = _stat("self")
        if pid != os.getpid():
            return ""  # this /proc belongs to another pid namespace
        return _SEPARATOR.join((_boot_id(), _namespaces(), str(pid), started))
    except (OSError, ValueError):
        return ""


def is_provably_dead(process: str) -> bool:
    """True only if ``process`` (of ``this_process``) ran in this boot and our namespaces, and no longer exists."""
    try:
        boot_id, namespaces, pid, started = process.split(_SEPARATOR)
        if [boot_id, namespaces] != this_process().split(_SEPARATOR)[:2]:
            return False
        if not _exists(int(pid)):
            return True
        _, state, started_there = _stat(pid)
    except (OSError, ValueError):
        return False  # hidden from us, just gone, or not from this_process: the lease decides
    return started_there != started or state in _DEAD_STATES


def _exists(pid: int) -> bool:
    """Checked by signal 0, not by /proc, which may hide the processes of other users (hidepid)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _stat(pid: str) -> tuple[int, str, str]:
    """(pid, state, start time in ticks since boot). The command name, in parentheses, may contain anything."""
    head, _, tail = (_PROC / pid / "stat").read_text(errors="replace").rpartition(")")
    fields = tail.split()
    return int(head.split(maxsplit=1)[0]), fields[0], fields[19]


def _boot_id() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def _namespaces() -> str:
    """The pid namespace, in which pids are numbered; the time namespace, which shifts start times."""
    time_namespace = _PROC / "self/ns/time"
    return (_PROC / "self/ns/pid").readlink().name + (time_namespace.readlink().name if time_namespace.exists() else "")
