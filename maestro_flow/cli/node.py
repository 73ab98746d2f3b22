"""The command ``node``: a process that runs what others start, until it is told to stop."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import click

from maestro_flow.cli.options import name_store, store_option

__all__ = ["node"]


@click.command()
@store_option
def node(store: str) -> None:
    """Run what others start in the store, until SIGTERM or Ctrl-C; a second Ctrl-C does not wait for anything."""
    from maestro_flow.engine.engine import Engine

    told = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        told.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    name_store(store, as_json=False)
    with Engine(store):
        click.echo("node is running; stop it with Ctrl-C")
        told.wait()
        click.echo("node is stopping: what runs here is handed over")
    click.echo("node has stopped")
