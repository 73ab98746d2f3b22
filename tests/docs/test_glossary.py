"""The glossary points at code that exists."""

from __future__ import annotations

import re

from tests.tidy.sources import ROOT

PAGE = ROOT / "docs" / "reference" / "glossary.md"
ROW = re.compile(r"^\| (?P<term>[^|]+) \| [^|]+ \| [^|]+ \| (?P<code>[^|]*) ?\|$", re.MULTILINE)
PLACE = re.compile(r"`(?P<path>[\w/]+\.py)`(?: \(`(?P<name>\w+)`\))?")


def rows() -> list[tuple[str, str]]:
    found = [(row["term"], row["code"]) for row in ROW.finditer(PAGE.read_text())]
    return [(term, code) for term, code in found if term != "term" and set(term) != {"-"}]


def test_every_place_in_the_code_exists() -> None:
    places = [(term, found["path"], found["name"]) for term, code in rows() for found in PLACE.finditer(code)]
    assert len(places) > 50
    files = {path: ROOT / "maestro_flow" / path for _, path, _ in places}
    assert [path for path, file in files.items() if not file.is_file()] == []
    assert [(term, name) for term, path, name in places if name and name not in files[path].read_text()] == []


def test_a_term_has_one_entry() -> None:
    terms = [term for term, _ in rows()]
    assert sorted(terms) == sorted(set(terms))
