"""The command ``node``: a process that runs what other processes start, until it is told to stop."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from types import FrameType

import click

from maestro_flow.cli.store import Store, store_options

__all__ = ["node"]

_CHECK_EVERY_S = 0.5

logger = logging.getLogger("maestro_flow.cli")


@click.command()
@store_options
def node(store: Store) -> None:
    """Run what other processes start in the store, until SIGTERM or Ctrl-C; a second Ctrl-C exits at once.

    The node waits for a store that is temporarily unavailable. A permanent failure of the store ends it with exit
    code 2.
    """
    print_log()
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with store.engine() as engine:
        logger.info("node is running on store %s; stop it with Ctrl-C", store)
        while not stopping.wait(_CHECK_EVERY_S):
            engine.check()
        logger.info("node is stopping; it hands over its runs")
    logger.info("node has stopped")


def print_log() -> None:
    """Print the records of our own loggers, from INFO up, with the local time; a node has no other output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d %(message)s", datefmt="%H:%M:%S"))
    ours = logging.getLogger("maestro_flow")
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
