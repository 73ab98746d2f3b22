"""The command ``migrate``: bring a store to the schema of this version, before the nodes do it on their first use."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click

from maestro_flow.cli.store import Store, store_options

__all__ = ["migrate"]


@click.command()
@store_options
def migrate(store: Store) -> None:
    """Make the store, or bring it to the schema of this version."""
    with migrations_shown() as shown, store.client(create=True) as client:
        version = client.storage.schema_version
    done = "migrated to" if shown.count else "up to date at"
    click.echo(f"store {store}: {done} schema version {version}")


@contextmanager
def migrations_shown() -> Iterator[ShownMigrations]:
    """Print what the backends log of their migrations while the context lasts."""
    shown = ShownMigrations()
    log = logging.getLogger("maestro_flow.storage")
    before = log.level
    log.addHandler(shown)
    log.setLevel(logging.INFO)
    try:
        yield shown
    finally:
        log.setLevel(before)
        log.removeHandler(shown)


class ShownMigrations(logging.Handler):
    """Prints records as they come, and counts them: a migration of a large store takes its time."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1
        click.echo(record.getMessage())
