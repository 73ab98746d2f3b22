"""What ``sleep`` is in the commands of a page: it returns when a step of some run in this folder is active.

A page lets a program run for a few seconds and then kills it. For a reader, seconds are fine; on a busy machine the
program has not begun by then.
"""

from __future__ import annotations

import time
from pathlib import Path

from maestro_flow import Client, StorageError

PATIENCE_S = 50.0


def is_a_step_active() -> bool:
    for path in Path().glob("*.db"):
        try:
            with Client(f"sqlite:///{path}", create=False) as client:
                if any(step.status.is_active for run in client.unfinished() for step in run.view().steps.values()):
                    return True
        except StorageError:
            continue  # it is being made
    return False


if __name__ == "__main__":
    deadline = time.monotonic() + PATIENCE_S
    while not is_a_step_active():
        if time.monotonic() > deadline:
            raise SystemExit("no step of any run here has become active")
        time.sleep(0.05)  # between two looks at what another process does
