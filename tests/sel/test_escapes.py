"""Attempts to reach what an expression must not reach: attributes, classes, the host, other evaluations."""

from __future__ import annotations

from itertools import product

import pytest

from maestro_flow.errors import SelSyntax, SelTypeError
from maestro_flow.sel import SelError, evaluate
from maestro_flow.sel.functions.all import FUNCTIONS
from maestro_flow.sel.functions.classes import CLASSES

RECEIVERS = (
    "'abc'", "(1)", "1.0", "true", "null", "new Map()", "new int[]{1}", "new DateTime(0)", "DateTimeZone.UTC",
    "params", "Math",
    "String", "UUID.randomUUID()", "DateTimeFormat.forPattern('yyyy')", "new DateTime().dayOfWeek()", "host", "Util",
)  # fmt: skip
PYTHON_NAMES = (
    "__class__", "__dict__", "__init__", "__globals__", "__builtins__", "__subclasses__", "__mro__", "__import__",
    "__getattribute__",
    "__reduce__", "__call__", "kind", "value", "items", "entries", "zone", "rules", "name", "format_map", "encode",
    "translate", "new",
)  # fmt: skip
JAVA_NAMES = (
    "getClass", "forName", "newInstance", "getMethod", "getDeclaredField", "invoke", "clone", "wait", "notify",
    "hashCode", "exec",
    "getRuntime", "exit", "getenv", "getProperty", "load", "getClassLoader", "class",
)  # fmt: skip
TEXTS = (
    "__import__('os').system('id')", "eval('1')", "exec('1')", "open('/etc/passwd')", "lambda: 1", "globals()",
    "[].__class__",
    "().__class__.__bases__[0]", "{}.__class__", "f'{1}'", "`id`", "import os; os.system('id');",
    "from os import system",
    "java.lang.Runtime.getRuntime().exec('id')", "new java.io.File('/tmp/x')", "new ProcessBuilder('sh').start()",
    "new Thread().start()",
    "Class.forName('java.lang.Runtime')", "new File('/etc/passwd').delete()", "Runtime.getRuntime().halt(0)",
    "System.exit(1)",
    "System.out.println('x')", "System.getenv('PATH')", "Thread.currentThread()", "new Socket('localhost', 22)",
    "new URL('http://x/')",
    "InetAddress.getByName('localhost')", "new ObjectInputStream(params).readObject()", "Unsafe.getUnsafe()",
    "params.call('x')",
    "params['__class__'].x", "x.__class__ = 1", "new Object()", "new String('x').__class__",
    "Math.__dict__",
    "this", "super.toString()", "'%s'.format_map(params)", "String.format('{0.__class__}', 1).x",
    "DateTimeZone.forID('../../etc/passwd')",
    "DateTimeZone.forID('/etc/passwd')", "DateTimeZone.forID('zone.tab')", "DateTimeZone.forID('UTC/../UTC')",
    "DateTimeZone.forID('posixrules/')",
    "Integer = 5", "Math = 1", "params = 1", "String = 'x'", "DateTimeZone.UTC = 1", "params.x = 1", "new params()",
    "new Math()", "Util.new()",
    "''.new()", "String.new('x')", "new DateTimeZone('UTC')", "DateTime.now()", "Util.register('x', 1)",
    "(params).getClass()",
)  # fmt: skip


class Host:
    """A host with more than the protocol: none of it may be reached."""

    secret = "secret"

    def call(self, function: str, arguments: tuple[str, ...]) -> object:
        return self.secret

    def __contains__(self, _: object) -> bool:
        raise AssertionError("reached")


@pytest.mark.parametrize("text", TEXTS)
def test_an_attempt_is_refused(text: str) -> None:
    with pytest.raises(SelError) as caught:
        evaluate(text, {"x": 1}, functions=Host())
    assert "defect" not in str(caught.value)


@pytest.mark.parametrize(("receiver", "name"), list(product(RECEIVERS, PYTHON_NAMES + JAVA_NAMES)))
def test_no_value_has_an_attribute_or_a_method_of_its_host_language(receiver: str, name: str) -> None:
    for suffix in (f".{name}", f".{name}()", f".{name}('x')", f".{name}(1, 2)"):
        if receiver == "params" and "(" not in suffix and name not in {"class", "new"}:
            assert evaluate(f"{receiver}{suffix}") is None  # a parameter of that name, and there is none
            continue
        with pytest.raises((SelTypeError, SelSyntax)):
            evaluate(f"{receiver}{suffix}", {"host": {"secret": "x"}}, functions=Host())


def test_the_host_is_asked_by_its_protocol_alone() -> None:
    assert evaluate("params.getFromInstance('x')", functions=Host()) == "secret"
    for name in ("secret", "call", "__contains__", "__class__"):
        with pytest.raises(SelError):
            evaluate(f"params.{name}('x')", functions=Host())


def test_a_string_that_names_an_attribute_is_a_string() -> None:
    assert evaluate("String.format('%s {0.__class__} %%(x)s', '__class__')") == "__class__ {0.__class__} %(x)s"
    assert evaluate("'a'.replaceAll('a', '__class__')") == "__class__"
    assert evaluate("params['__class__']") is None
    assert evaluate("m.get('__class__')", {"m": {}}) is None


def test_every_function_that_can_be_called_is_in_the_reference() -> None:
    """What is added to the table must be written down, and is then looked at."""
    from pathlib import Path

    page = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "sel.md").read_text(encoding="utf-8")
    names = {name for name, _ in FUNCTIONS} | set(CLASSES)
    families = ("plus", "minus", "with", "get")
    units = ("Years", "Months", "Weeks", "Days", "Hours", "Minutes", "Seconds", "Millis")

    def is_told(name: str) -> bool:
        if f"`{name}" in page or f".{name}" in page:
            return True
        family = next((family for family in families if name.startswith(family)), "")
        rest = name.removeprefix(family)
        return bool(family) and (rest in units or f"`{rest[0].lower()}{rest[1:]}`" in page)

    assert sorted(name for name in names if not is_told(name)) == []
