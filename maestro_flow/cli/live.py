"""A run as a table on the terminal that is updated in place; the only module that imports rich at the top."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from maestro_flow.cli.tables import print_table, rich_table, step_table
from maestro_flow.cli.text import is_active, run_line, run_name, step_note
from maestro_flow.clock import SystemClock
from maestro_flow.views.run import RunView, StepView

__all__ = ["live_table"]

RESERVED_ROWS = 4
"""Lines of the terminal kept free: the table's header, the line below the table, the prompt, and a spare one."""


@contextmanager
def live_table() -> Iterator[Callable[[RunView], None]]:
    """Own the terminal for the duration of the context; call the yielded function with each new view of the run.

    At the end the full table replaces the live one, and stays.
    """
    table = _LiveTable()
    try:
        with Live(console=table.console, get_renderable=table.draw, refresh_per_second=10, transient=True):
            yield table.show
    finally:
        if table.view is not None:
            print_table(step_table(list(table.view.steps.values()), table.clock.time()))
            click.echo(run_line(table.view))


class _LiveTable:
    """Redrawn periodically, because the times of running steps grow without a new view."""

    def __init__(self) -> None:
        self.console = Console()
        self.clock = SystemClock()
        self.view: RunView | None = None

    def show(self, view: RunView) -> None:
        """Draw this view next time: a run may change far more often than anyone can follow."""
        self.view = view

    def draw(self) -> RenderableType:
        """As many steps as fit the terminal; if not all fit, those that matter most."""
        view = self.view
        if view is None:
            return ""
        steps = list(view.steps.values())
        rows = max(1, self.console.height - RESERVED_ROWS)
        if len(steps) > rows:
            steps = sorted(steps, key=_rank)[:rows]
        ended = sum(step.status.is_terminal for step in view.steps.values())
        table = rich_table(step_table(steps, self.clock.time()))
        return Group(table, Text(f"{run_name(view)}: {ended} of {len(view.steps)} steps have ended"))


def _rank(step: StepView) -> int:
    """The order if not all steps fit: active ones first, then failed or waiting, then ended, then not started."""
    if is_active(step):
        return 0
    if step_note(step):
        return 1
    return 2 if step.status.is_terminal else 3
