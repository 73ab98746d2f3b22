"""``maestro-flow permits``: how many steps with a tag may be active at once, and how many are."""

from __future__ import annotations

import click

from maestro_flow.cli.options import json_option
from maestro_flow.cli.store import Store, store_options
from maestro_flow.cli.tables import Table, print_json, print_table

__all__ = ["permits"]


@click.group()
def permits() -> None:
    """Limit how many steps with a tag are active at once."""


@permits.command("list")
@store_options
@json_option
def list_tags(store: Store, as_json: bool) -> None:
    """List the tags with a limit, and how many steps hold a permit or wait for one."""
    with store.client(create=False) as client:
        tags = list(client.tag_permits().values())
    if as_json:
        from maestro_flow.views.documents import tag_permit_document

        print_json({"permits": [tag_permit_document(tag) for tag in tags]})
    else:
        rows = [(t.tag, "" if t.limit is None else str(t.limit), str(t.held), str(t.waiting)) for t in tags]
        print_table(Table(("TAG", "LIMIT", "HELD", "WAITING"), rows))


@permits.command("set")
@click.argument("tag")
@click.argument("limit", type=click.IntRange(min=0))
@store_options
def set_tag(tag: str, limit: int, store: Store) -> None:
    """Let at most LIMIT steps with TAG be active at once, whatever definitions say; with 0 none starts."""
    with store.client(create=True) as client:
        client.set_tag_permit(tag, limit)
    click.echo(f"tag {tag}: at most {limit} at once, as soon as a node has read this")


@permits.command("unset")
@click.argument("tag")
@store_options
def unset_tag(tag: str, store: Store) -> None:
    """Let the definitions decide the limit of TAG again."""
    with store.client(create=False) as client:
        client.set_tag_permit(tag, None)
    click.echo(f"tag {tag}: as definitions say, as soon as a node has read this")
