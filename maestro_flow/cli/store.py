"""The store of a command: what ``--store`` and ``--namespace``, the environment and the file come to."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
from attrs import field, frozen

from maestro_flow.storage.url import DEFAULT_NAMESPACE, namespace_of, without_password

if TYPE_CHECKING:
    from maestro_flow.engine.client import Client
    from maestro_flow.engine.engine import Engine

__all__ = ["Store", "store_options"]

DEFAULT_STORE = "sqlite:///maestro-flow.db"


@frozen
class Store:
    """A store that is not open yet. As text it is what may be shown: the URL without its password."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        return without_password(self.url)

    def client(self) -> Client:
        from maestro_flow.engine.client import Client

        return Client(self.url, namespace=namespace_of(self.url))

    def engine(self) -> Engine:
        from maestro_flow.engine.engine import Engine

        return Engine(self.url, namespace=namespace_of(self.url))

    def say(self, *, as_json: bool) -> None:
        """Say which store is used; beside the JSON, not in it."""
        click.echo(f"store {self}", err=as_json)

    def existing(self) -> Store:
        """The same, unless it is an SQLite file that is not there: a command that only looks must not make one.

        Raises:
            click.UsageError: there is no such file.
        """
        file = _sqlite_file(self.url)
        if file is not None and not file.exists():
            raise click.UsageError(
                f"there is no store {self} yet: name another one with --store, or run a workflow first"
            )
        return self


def _sqlite_file(url: str) -> Path | None:
    """The file of an SQLite store, each namespace having its own; None for every other URL."""
    parts, namespace = urlsplit(url), namespace_of(url)
    path = Path(parts.path.removeprefix("/"))
    if parts.scheme != "sqlite" or path.name in ("", ":memory:"):
        return None
    return path if namespace in (None, DEFAULT_NAMESPACE) else path.with_name(f"{path.stem}.{namespace}{path.suffix}")


def store_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--store`` and ``--namespace``; what it is called with is a ``Store``."""

    @click.option(
        "--store",
        "url",
        metavar="URL",
        help=f"Where runs are kept.  [env: MAESTRO_FLOW_STORE; file: store; default: {DEFAULT_STORE}]",
    )
    @click.option(
        "--namespace",
        metavar="NAME",
        help="Which store in that database.  [env: MAESTRO_FLOW_NAMESPACE; file: namespace]",
    )
    @wraps(command)
    def with_store(*args: Any, url: str | None, namespace: str | None, **options: Any) -> Any:
        from maestro_flow.engine.configuration import Configuration

        configured = Configuration.read().store_url(url, namespace, default=DEFAULT_STORE)
        return command(*args, store=Store(configured), **options)

    return with_store
