"""Files: which format is read, what YAML means, and what is said of files that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from maestro_flow.dsl.json_text import read_json
from maestro_flow.dsl.limits import FILE_BYTES_MAX
from maestro_flow.dsl.load import load_definition
from maestro_flow.dsl.yaml_text import read_yaml
from maestro_flow.errors import DefinitionError
from tests.dsl.documents import request
from tests.samples import sample as sample_file

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(path: Path) -> DefinitionError:
    with pytest.raises(DefinitionError) as refused:
        load_definition(path)
    assert refused.value.source == str(path)
    return refused.value


@pytest.mark.parametrize("sample", ["sample-dag-test-6", "sample-dag-test-7", "sample-time-trigger-wf"])
def test_yaml_with_the_same_fields_is_the_same_definition(tmp_path: Path, sample: str) -> None:
    source = sample_file(f"{sample}.json")
    as_yaml = write(tmp_path, "flow.yaml", yaml.safe_dump(json.loads(source.read_text())))
    assert load_definition(as_yaml) == load_definition(source)


def test_the_examples_load_without_a_warning() -> None:
    for path in EXAMPLES.glob("*.yaml"):
        assert load_definition(path, known_types={"NoOp", "Sleep"}).warnings == ()


@pytest.mark.parametrize("name", ["flow.json", "flow.JSON", "flow.yaml", "flow.yml", "flow", "flow.txt"])
def test_json_is_read_whatever_the_file_is_called(tmp_path: Path, name: str) -> None:
    text = json.dumps(request(), indent=2)
    assert load_definition(write(tmp_path, name, text)).definition.id == "w"
    assert load_definition(str(write(tmp_path, name, b"\xef\xbb\xbf" + text.encode()))).definition.id == "w"


@pytest.mark.parametrize("name", ["flow.yaml", "flow.yml", "flow"])
def test_yaml_is_read_unless_the_file_is_called_json(tmp_path: Path, name: str) -> None:
    text = "workflow: {id: w, steps: [{step: {id: a, type: NoOp}}]}"
    assert load_definition(write(tmp_path, name, text)).definition.id == "w"


@pytest.mark.parametrize(
    ("name", "text", "path", "problem"),
    [
        ("a.json", "", "line 1, column 1", "not valid JSON: Expecting value"),
        ("a.json", '{"a": 1,\n  "b" 2}', "line 2, column 7", "not valid JSON: Expecting ':' delimiter"),
        ("a.json", "workflow: {}", "line 1, column 1", "not valid JSON: Expecting value"),
        ("a.json", '{"workflow": {"id": NaN}}', "", "not valid JSON: NaN is not a JSON number"),
        ("a.json", '{"workflow": {"id": ' + "9" * 5000 + "}}", "", "not valid JSON: Exceeds the limit"),
        ("a.json", "[" * 100_000, "", "not valid JSON: nested too deep"),
        ("a.json", '{"workflow": {"id": "a", "id": "b"}}', "workflow", 'the key "id" is given twice'),
        ("a.json", '{"a": [{"b": 1e999}]}', "a[0].b", "inf is not a valid JSON number"),
        ("a", '{"workflow": }', "line 1, column 14", "not valid JSON: Expecting value"),
        ("a", "workflow: [", "line 2, column 1", "not valid YAML: did not find expected node content"),
        ("a.yaml", "", "", "expected an object, got null"),
        ("a.yaml", "- a", "", 'expected an object, got ["a"]'),
        ("a.yaml", "a: 1\nb: [1,\n", "line 3, column 1", "not valid YAML: did not find expected"),
        ("a.yaml", "a: b: c", "line 1, column 5", "not valid YAML: mapping values are not allowed in this context"),
        ("a.yaml", "a: 1\nb: 2\na: 3", "line 3, column 1", "the key 'a' is given twice"),
        ("a.yaml", "a: {1: 2}", "line 1, column 5", "the key 1 is not text; put it in quotes"),
        ("a.yaml", "a: {true: 2}", "line 1, column 5", "the key true is not text; put it in quotes"),
        ("a.yaml", "? [1]\n: 2", "line 1, column 3", "this key is not text; put it in quotes"),
        ("a.yaml", "a: &x {b: 1}\nc:\n  <<: *x", "line 3, column 3", "merge keys (<<) cannot be used here"),
        (
            "a.yaml",
            "a: !!python/name:os.system x",
            "line 1, column 4",
            "the tag tag:yaml.org,2002:python/name",
        ),
        ("a.yaml", "a: !!int 12:30", "line 1, column 4", "the tag tag:yaml.org,2002:int cannot be used here"),
        ("a.yaml", "a: ! b", "line 1, column 4", "the tag ! cannot be used here"),
        ("a.yaml", "a: &x [*x]", "line 1, column 8", "the alias *x stands inside itself"),
        ("a.yaml", "a: *nobody", "line 1, column 4", "not valid YAML: found undefined alias"),
        ("a.yaml", "a: 1\n---\nb: 2", "line 2, column 1", "not valid YAML: but found another document"),
        ("a.yaml", "a: \x07", "", "not valid YAML: control characters are not allowed, at character"),
        ("a.yaml", b"a: 1\nb: \xff\n", "line 2", "the file is not valid UTF-8"),
        ("a.json", b"\xff", "line 1", "the file is not valid UTF-8"),
        ("a.yaml", " " * (FILE_BYTES_MAX + 1), "", "the file is larger than 262,144 bytes"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, text: str | bytes, path: str, problem: str) -> None:
    refused = refusal(write(tmp_path, name, text))
    assert refused.path == path
    assert refused.problem.startswith(problem)
    assert "\n" not in str(refused)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.yaml").problem == "the file cannot be read: No such file or directory"
    assert refusal(tmp_path).problem == "the file cannot be read: Is a directory"
    assert refusal(Path("a\0b")).problem.startswith("the file cannot be read: ")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("True", "True"),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("null", None),
        ("~", None),
        ("", None),
        ("1", 1),
        ("-12", -12),
        ("+3", 3),
        ("0", 0),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("12:30:45", "12:30:45"),
        ("190:20:30.15", "190:20:30.15"),
        ("2026-11-22", "2026-11-22"),
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"),
        ("1.5", 1.5),
        ("-.5", -0.5),
        ("1e3", 1000.0),
        ("1.0e+3", 1000.0),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("=", "="),
        ("<<", "<<"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("|\n  a\n  b", "a\nb"),
    ],
)
def test_what_yaml_scalars_mean(text: str, value: Any) -> None:
    read = read_yaml(f"a: {text}")["a"]
    assert repr(read) == repr(value)


def test_aliases_may_be_used_within_reason() -> None:
    assert read_yaml("a: &x [1, &y 2]\nb: *x\nc: *y") == {"a": [1, 2], "b": [1, 2], "c": 2}


def test_a_file_that_doubles_itself_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(DefinitionError, match="more than 200,000 values, with the aliases written out"):
        read_yaml("\n".join(lines))


@pytest.mark.parametrize("text", ['{"a": [1, 2.5, true, null, "x"]}', "[]", '"x"', "{}"])
def test_json_is_also_yaml(text: str) -> None:
    assert read_json(text) == read_yaml(text) == json.loads(text)
