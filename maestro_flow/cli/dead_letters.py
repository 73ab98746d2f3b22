"""``maestro-flow dead-letters``: messages that no run could handle, and sending them again."""

from __future__ import annotations

import click

from maestro_flow.cli.options import json_option
from maestro_flow.cli.store import Store, store_options
from maestro_flow.cli.tables import Table, print_json, print_table
from maestro_flow.cli.text import date_and_time

__all__ = ["dead_letters"]

REASON_CHARACTERS_MAX = 100


@click.group("dead-letters")
def dead_letters() -> None:
    """List messages that no run could handle, and redrive them."""


@dead_letters.command("list")
@store_options
@json_option
def list_letters(store: Store, as_json: bool) -> None:
    """List the dead letters, each with its error."""
    with store.client(create=False) as client:
        letters = client.dead_letters()
    if as_json:
        from maestro_flow.views.documents import dead_letter_document

        print_json({"dead_letters": [dead_letter_document(letter) for letter in letters]})
        return
    rows = [
        (letter.message_id, letter.flow_id, letter.kind, date_and_time(letter.sent_at), _short(letter.reason))
        for letter in letters
    ]
    print_table(Table(("MESSAGE", "RUN", "KIND", "SENT", "WHY"), rows))


@dead_letters.command("redrive")
@click.argument("message_ids", nargs=-1, metavar="[MESSAGE]...")
@click.option("--all", "is_all", is_flag=True, help="All current dead letters.")
@store_options
def redrive_letters(store: Store, message_ids: tuple[str, ...], is_all: bool) -> None:
    """Let each MESSAGE be handled again, as if it had just been sent."""
    if bool(message_ids) is is_all:
        raise click.UsageError("name messages or give --all")
    with store.client(create=False) as client:
        if is_all:
            message_ids = tuple(dict.fromkeys(letter.message_id for letter in client.dead_letters()))
        for message_id in message_ids:
            client.redrive(message_id)
            click.echo(f"message {message_id}: will be handled again")


def _short(reason: str) -> str:
    """The last line of the reason: that of the traceback, if there is one."""
    line = reason.strip().splitlines()[-1] if reason.strip() else ""
    return line if len(line) <= REASON_CHARACTERS_MAX else f"{line[:REASON_CHARACTERS_MAX]}..."
