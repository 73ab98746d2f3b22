"""``maestro-flow permits``: what is set is read by the next node, and shown."""

from __future__ import annotations

from tests.cli.command_line import CommandLine, no_op


def test_limits_are_set_before_and_after_the_first_run_and_listed(cli: CommandLine) -> None:
    assert cli("permits", "set", "db", "3").stdout == "tag db: at most 3 at once, as soon as a node has read it\n"
    cli("permits", "set", "gpu", "0")
    assert cli.json("permits", "list") == {"permits": []}, "nobody has read it yet"
    cli("run", cli.workflow("small", no_op("a")))
    db, gpu = {"tag": "db", "limit": 3, "held": 0, "waiting": 0}, {"tag": "gpu", "limit": 0, "held": 0, "waiting": 0}
    assert cli.json("permits", "list") == {"permits": [db, gpu]}
    cli("permits", "unset", "gpu")
    cli("run", cli.workflow("small", no_op("a")))
    header, *rows = cli("permits", "list").stdout.splitlines()
    assert header.split() == ["TAG", "LIMIT", "HELD", "WAITING"]
    assert [row.split() for row in rows] == [["db", "3", "0", "0"]]
    assert [run["workflow_id"] for run in cli.json("list")["runs"]] == ["small", "small"]


def test_what_makes_no_sense_is_refused(cli: CommandLine) -> None:
    assert "not in the range" in cli("permits", "set", "db", "--", "-1", code=2).stderr
    assert "there is no store" in cli("permits", "list", code=2).stderr
    assert "cannot be a tag" in cli("permits", "set", "", "1", code=2).stderr
