"""A run as a table on the terminal that changes in place; the only module that cannot do without rich."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from maestro_flow.cli.tables import print_table, rich_table, step_table
from maestro_flow.cli.text import is_at_work, run_line, run_name, step_note
from maestro_flow.clock import SystemClock
from maestro_flow.views.run import RunView, StepView

__all__ = ["live_table"]

ROWS_BESIDE_THE_TABLE = 4
"""Lines of the terminal that are left free: the table's header, the line below it, the prompt, and one to spare."""


@contextmanager
def live_table() -> Iterator[Callable[[RunView], None]]:
    """Own the terminal while the context lasts; call what it yields with each new view of the run.

    At the end the live table gives way to the whole one, which stays.
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
    """What is drawn, again and again: the times of running steps grow without a new view."""

    def __init__(self) -> None:
        self.console = Console()
        self.clock = SystemClock()
        self.view: RunView | None = None

    def show(self, view: RunView) -> None:
        """Have this view drawn next time: a run may change far more often than eyes can follow."""
        self.view = view

    def draw(self) -> RenderableType:
        """As many steps as fit the terminal, those that matter most if that is not all."""
        view = self.view
        if view is None:
            return ""
        steps = list(view.steps.values())
        room = max(1, self.console.height - ROWS_BESIDE_THE_TABLE)
        if len(steps) > room:
            steps = sorted(steps, key=_pushed_down)[:room]
        ended = sum(step.status.is_terminal for step in view.steps.values())
        table = rich_table(step_table(steps, self.clock.time()))
        return Group(table, Text(f"{run_name(view)}: {ended} of {len(view.steps)} steps have ended"))


def _pushed_down(step: StepView) -> int:
    """Where there is no room for all: at work comes first, then failed or waiting, then ended, then not begun."""
    if is_at_work(step):
        return 0
    if step_note(step):
        return 1
    return 2 if step.status.is_terminal else 3
