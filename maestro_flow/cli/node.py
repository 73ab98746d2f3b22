"""The command ``node``: a process that runs what others start, until it is told to stop."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from types import FrameType

import click

from maestro_flow.cli.store import Store, store_options

__all__ = ["node"]

_LOOK_EVERY_S = 0.5

logger = logging.getLogger("maestro_flow.cli")


@click.command()
@store_options
def node(store: Store) -> None:
    """Run what others start in the store, until SIGTERM or Ctrl-C; a second Ctrl-C does not wait for anything.

    A store that does not answer is waited for. One that has failed for good ends the node with exit code 2.
    """
    print_log()
    told = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        told.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with store.engine() as engine:
        logger.info("node is running on store %s, stop it with Ctrl-C", store)
        while not told.wait(_LOOK_EVERY_S):
            engine.check()
        logger.info("node is stopping, what runs here is handed over")
    logger.info("node has stopped")


def print_log() -> None:
    """Print what our own loggers say, from INFO up, with the local time; it is all the output that a node has."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d %(message)s", datefmt="%H:%M:%S"))
    ours = logging.getLogger("maestro_flow")
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
