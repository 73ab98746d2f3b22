"""The store of a command, from ``--store`` and ``--namespace``, the environment and the file."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from attrs import field, frozen

from maestro_flow.storage.url import namespace_of, without_password

if TYPE_CHECKING:
    from maestro_flow.client.client import Client
    from maestro_flow.engine import Engine

__all__ = ["Store", "store_options"]

DEFAULT_STORE = "sqlite:///maestro-flow.db"


@frozen
class Store:
    """A store that is not open yet. Its ``str`` is safe to print: the URL without its password."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        return without_password(self.url)

    def client(self, *, create: bool) -> Client:
        """A client; ``create`` is False for a read-only command, which must not create a missing store."""
        from maestro_flow.client.client import Client

        return Client(self.url, namespace=namespace_of(self.url), create=create)

    def engine(self) -> Engine:
        from maestro_flow.engine import Engine

        return Engine(self.url, namespace=namespace_of(self.url))

    def announce(self, *, as_json: bool) -> None:
        """Print which store is used; with ``--json`` on stderr."""
        click.echo(f"store {self}", err=as_json)


def store_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--store`` and ``--namespace``, which it receives as a ``Store``."""

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
        from maestro_flow.config.configuration import Configuration

        configured = Configuration.read().store_url(url, namespace, default=DEFAULT_STORE)
        return command(*args, store=Store(configured), **options)

    return with_store
