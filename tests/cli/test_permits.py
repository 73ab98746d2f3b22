"""``maestro-flow permits``: what is set is read by the next node before it lets a limited step begin, and is shown."""

from __future__ import annotations

from typing import Any

from tests.cli.command_line import CommandLine, no_op


def limited() -> dict[str, Any]:
    """A step that cannot begin before the limits were read."""
    return no_op("load") | {"tags": [{"name": "db", "permit": 9}]}


def test_limits_are_set_before_and_after_the_first_run_and_listed(cli: CommandLine) -> None:
    assert cli("permits", "set", "db", "3").stdout == "tag db: at most 3 at once, as soon as a node has read this\n"
    cli("permits", "set", "gpu", "0")
    assert cli.json("permits", "list") == {"permits": []}, "nobody has read it yet"
    file = cli.workflow("small", limited())
    cli("run", file)
    limits = {tag["tag"]: tag["limit"] for tag in cli.json("permits", "list")["permits"]}
    assert limits == {"db": 3, "gpu": 0}
    cli("permits", "unset", "gpu")
    cli("run", file)
    header, *rows = cli("permits", "list").stdout.splitlines()
    assert header.split() == ["TAG", "LIMIT", "HELD", "WAITING"]
    assert [row.split()[:2] for row in rows] == [["db", "3"]]
    assert [run["workflow_id"] for run in cli.json("list")["runs"]] == ["small", "small"]


def test_a_step_that_no_limit_lets_begin_is_seen_to_wait(cli: CommandLine) -> None:
    cli("permits", "set", "db", "0")
    cli.leave(cli.workflow("small", no_op("a"), limited()), after="load WAITING_FOR_PERMITS")
    assert cli.json("show", "small")["steps"]["load"]["status"] == "WAITING_FOR_PERMITS"
    cli("permits", "set", "db", "1")
    cli("resume")
    assert cli.json("show", "small")["status"] == "SUCCEEDED"


def test_what_makes_no_sense_is_refused(cli: CommandLine) -> None:
    assert "not in the range" in cli("permits", "set", "db", "--", "-1", code=2).stderr
    assert "there is no store" in cli("permits", "list", code=2).stderr
    assert "cannot be a tag" in cli("permits", "set", "", "1", code=2).stderr
