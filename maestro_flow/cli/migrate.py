"""The command ``migrate``: bring a store to the schema of this version before the nodes do so on first use."""

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
    """Create the store, or bring it to the schema of this version."""
    with migrations_shown() as shown, store.client(create=True) as client:
        version = client.storage.schema_version
    done = "migrated to" if shown.count else "up to date at"
    click.echo(f"store {store}: {done} schema version {version}")


@contextmanager
def migrations_shown() -> Iterator[ShownMigrations]:
    """Print what the backends log about migrations for the duration of the context."""
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
    """Prints records as they arrive, because migrating a large store takes a while, and counts them."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1
        click.echo(record.getMessage())
