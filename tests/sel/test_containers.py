"""Arrays and maps: items, methods, aliasing, and their text."""

from __future__ import annotations

from maestro_flow.errors import SelRuntimeError, SelTypeError
from tests.sel.rows import Row, table


@table(
    ("evaluation tests", "int[] x = new int[]{1,2}; x[1];", 2),
    ("SelArray", "a = new String[2]; a[0]", None),
    ("SelArray", "new long[2];", [0, 0]),
    ("SelArray", "new double[1];", [0.0]),
    ("SelArray", "new boolean[1];", [False]),
    ("SelArray", "new String[]{};", []),
    ("grammar", "new int[]{1, 2, };", [1, 2]),
    ("grammar", "new int[]{1, 2}[0];", 1),
    ("SelArray", "new int[]{1, 'a'};", SelTypeError),
    ("SelArray", "new String[]{null};", SelTypeError),
    ("SelTypes", "new Map[1];", SelTypeError),
    ("Java", "new int[-1];", SelRuntimeError),
    ("Java", "new int['a'];", SelTypeError),
    ("SelArray", "a = new int[]{1, 2}; a[0] += 5; a[1] = a[0]; a", [6, 6]),
    ("SelArray", "a = new int[1]; a[0] = 'x'", SelTypeError),
    ("SelArray", "a = new String[1]; a[0] = 'x'; a[0] += 1; a", ["x1"]),
    ("Java", "a = new int[1]; a[1]", SelRuntimeError),
    ("Java", "a = new int[1]; a[-1] = 1", SelRuntimeError),
    ("ours", "a = new int[1]; a[4294967296]", SelRuntimeError),
    ("SelArray", "a = new int[1]; a['x']", SelTypeError),
    ("SelArray", "a = new int[1]; a.size", SelTypeError),
    ("SelArray", "'a,b'.split(',').length", 2),
    ("SelArrayTest", "new int[]{1, 2}.contains(2);", True),
    ("SelArrayTest", "new int[]{1, 2}.contains('2');", True),
    ("SelArrayTest", "new String[]{'1'}.contains(1);", SelTypeError),
    ("SelArrayTest", "new String[]{}.contains(1);", False),
    ("SelArray", "a = new int[]{1}; b = a; b[0] = 2; a", [2]),
    ("SelMiscFuncTest", "Arrays.asList(new int[]{1, 2});", [1, 2]),
    ("evaluation tests", "param['ab'];", SelTypeError),
    ("evaluation tests", "params[1];", SelTypeError),
)
def test_arrays(row: Row) -> None:
    row.check()


@table(
    ("evaluation tests", "x=new Map(); x.put('foo', 123); x.put('bar', 'baz'); return '' + x;", "{bar=baz, foo=123}"),
    ("evaluation tests", "x=new Map(); x.put('foo', 123); x.put('bar', 'baz'); return x.get('bar');", "baz"),
    ("evaluation tests", "x=new Map(); x.put('bar', new Map()); x.get('bar').put('bat', 123); return x;",
     {"bar": {"bat": 123}}),
    ("5.3 map aliasing", "x=new Map(); y=123; x.put('foo', y); y=111; return x;", {"foo": 111}),
    ("5.3 map aliasing", "x = 1; y = x; y = 2; x", 1),
    ("ours", "m = new Map(); a = new int[]{1}; m.put('k', a[0]); a[0] = 2; m", {"k": 1}),
    ("SelMapTest", "m.size()", 2, {"m": {"foo": "bar", "num": 123}}),
    ("SelMapTest", "m.containsKey('num') && !m.containsKey('x')", True, {"m": {"num": 123}}),
    ("SelMapTest", "m.get('fuu')", None, {"m": {}}),
    ("SelMapTest", "m.getOrDefault('fuu', 1) + m.getOrDefault('num', 2)", 124, {"m": {"num": 123}}),
    ("SelMapTest", "m.get(1)", SelTypeError, {"m": {}}),
    ("SelMapTest", "m.get(null)", SelTypeError, {"m": {}}),
    ("SelMapTest", "m.get()", SelTypeError, {"m": {}}),
    ("SelMapTest", "m.put('foo', true)", "bar", {"m": {"foo": "bar"}}),
    ("SelMapTest", "m.put('new', true)", None, {"m": {}}),
    ("SelMapTest", "m.put('foo', null); m.get('foo')", None, {"m": {"foo": 1}}),
    ("SelMapTest", "m.put('foo', null); m", SelTypeError, {"m": {"foo": 1}}),
    ("SelType", "m.put('foo', null); '' + m", "{foo=NULL}", {"m": {}}),
    ("SelMapTest", "m.put(1, 1)", SelTypeError, {"m": {}}),
    ("SelMap", "m.remove('foo')", SelTypeError, {"m": {"foo": 1}}),
    ("SelMap", "m.foo", SelTypeError, {"m": {"foo": 1}}),
    ("SelMap", "new Map(1)", SelTypeError),
    ("ours", "m['k'] + m['j']", "anull", {"m": {"k": "a"}}),
    ("SelMap", "m['k'] = 1", SelTypeError, {"m": {}}),
    ("SelMap", "m += m", SelTypeError, {"m": {}}),
    ("Java", "'' + m", "{a=1, b=[1.0, 2.5], c={d=true}}", {"m": {"c": {"d": True}, "b": [1.0, 2.5], "a": 1}}),
    ("Java", "'' + m", "{Aa=1, BB=2}", {"m": {"Aa": 1, "BB": 2}}),
    ("Java", "'' + m", "{banana=2, apple=1, cherry=3}", {"m": {"apple": 1, "banana": 2, "cherry": 3}}),
    ("ExprEvaluatorTest", "Util.toJson(x)", '"10"', {"x": "10"}),
    ("ExprEvaluatorTest", "Util.toJson(x)", '{"foo":10}', {"x": {"foo": 10}}),
    ("ExprEvaluatorTest", "Util.toJson(x)", "[10,20]", {"x": [10, 20]}),
    ("Java", "Util.toJson(x)", '{"a":1.0E10,"b":"\\"\\n\\u0001é"}', {"x": {"b": '"\n\x01é', "a": 1e10}}),
    ("ours", "Util.toJson(new DateTime())", SelTypeError),
)  # fmt: skip
def test_maps(row: Row) -> None:
    row.check()
