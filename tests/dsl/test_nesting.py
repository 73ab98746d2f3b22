"""How deep YAML may be nested: our limit, place and words, whatever the installed libyaml counts by itself."""

from __future__ import annotations

import pytest

from maestro_flow.dsl.limits import DEPTH_MAX
from maestro_flow.dsl.yaml_text import read_yaml
from maestro_flow.errors import DefinitionError

MANY = 100_000


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[" * 101, "line 1, column 101"),
        ("[" * 1_000, "line 1, column 101"),
        ("[" * MANY, "line 1, column 101"),
        ("[" * MANY + "]" * MANY, "line 1, column 101"),
        ("{" * MANY, "line 1, column 101"),
        ("[{" * MANY, "line 1, column 101"),
        ("[\n" * MANY, "line 101, column 1"),
        ("[" + " " * 19 + "[" * MANY, "line 1, column 120"),
        ('["[", ' * MANY, "line 1, column 601"),
        ("{a: [" * MANY, "line 1, column 251"),
        ("a:\n  " + "[" * MANY, "line 2, column 102"),
        ("- " * MANY, "line 1, column 201"),
        ("? " * MANY, "line 1, column 201"),
        ("- ? " * MANY, "line 1, column 201"),
        ("- - " * 25 + "[" * MANY, "line 1, column 151"),
        ("- [[]]\n" * 9 + "- " * MANY, "line 10, column 201"),
        ("\n".join(" " * level + "a:" for level in range(2_000)), "line 101, column 101"),
        ("é: 1\nü: " + "[" * MANY, "line 2, column 103"),
        ("- &a [1]\n- *a\n- " + "[" * MANY, "line 3, column 102"),
        ("%YAML 1.1\n---\n" + "[" * MANY, "line 3, column 101"),
        ("[" * 150 + "@", "line 1, column 101"),  # the scanner meets its error before it hands out an event
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_document_that_is_nested_too_deep(text: str, path: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        read_yaml(text)
    assert refused.value.problem == f"nested more than {DEPTH_MAX} levels deep"
    assert refused.value.path == path


@pytest.mark.parametrize(
    "text",
    [
        "[" * DEPTH_MAX + "]" * DEPTH_MAX,
        "- " * DEPTH_MAX + "x",
        "[" + "[[]], " * 60_000 + "]",
        "a: '" + "[" * MANY + "'",
        'a: "' + "- [{" * MANY + '"',
        "a: b" + "[" * MANY,
        "a: |\n  " + "[" * MANY,
        "a: >\n" + "  - [\n" * MANY,
        "#" + "[" * MANY + "\na: 1",
    ],
    ids=lambda text: text[:20],
)
def test_only_real_nesting_counts(text: str) -> None:
    assert read_yaml(text)


@pytest.mark.parametrize(
    ("text", "path", "problem"),
    [
        ("[[[@", "line 1, column 4", "not valid YAML: found character that cannot start any token"),
        ("- !t a\n- @", "line 1, column 3", "the tag !t cannot be used here"),
        ("[!t a, @", "line 1, column 2", "the tag !t cannot be used here"),
        ("[a, @, !t b]", "line 1, column 5", "not valid YAML: found character that cannot start any token"),
    ],
)
def test_the_first_error_in_the_text_is_told(text: str, path: str, problem: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        read_yaml(text)
    assert (refused.value.path, refused.value.problem) == (path, problem)
