"""Statements, the value of a program, and invalid programs."""

from __future__ import annotations

from maestro_flow.errors import SelLimit, SelRuntimeError, SelSyntax, SelTypeError
from tests.sel.rows import Row, table


@table(
    ("evaluation tests", "x=1+1;", 2),
    ("evaluation tests", "int x = 1;", None),
    ("evaluation tests", "x=1; for(i=2; i<10; i+=1) { x+=1; x+=1;} return x;", 17),
    ("evaluation tests", "x=1; for(i=2; i<10; i+=1) { x+=1; if (x>10) continue; x+=1;} return x;", 14),
    ("evaluation tests", "x=1; for(i=2; i<10; i+=1) { x+=1; if (x>10) return x; x+=1;} return x;", 12),
    ("evaluation tests", "x=1; for(i=2; i<10; i+=1) { x+=1; if (x>10) break; x+=1;} return x;", 12),
    ("evaluation tests", "x=1; if (x>1) x=3; else if (x<1) x=-3; else x=-x; return x;", -1),
    ("evaluation tests", "x=1; while (x<5) {x+=1; x+=1; x+=1;} return x;", 7),
    ("evaluation tests", "x=1; for(;;){x+=1; if (x>10) break; x+=1;} return x;", 12),
    ("evaluation tests", "x=1; while(true){x+=1; if (x>10) break; x+=1;} return x;", 12),
    ("evaluation tests", "x=1; //x>0 && x<10;", 1),
    ("evaluation tests", "/* x=1; */ z>0 && z<10;", False),
    ("evaluation tests", "x=1; for(i=2, j=1; i<10; i+=1) x+=1; return x;", SelSyntax),
    ("5.1 result", "1; 2; 3", 3),
    ("5.1 result", "1; {2; 3;}", 3),
    ("5.1 result", "return 1; return 2", 1),
    ("5.3 if value", "if (true) 1;", None),
    ("5.3 if value", "if (true) { return 1; }", 1),
    ("5.3 if value", "while (false) 1;", None),
    ("5.3 parse errors", "", None),
    ("5.3 parse errors", "   ", None),
    ("5.3 parse errors", ";", SelSyntax),
    ("5.3 parse errors", "1;;", SelSyntax),
    ("5.3 parse errors", "return;", SelSyntax),
    ("5.3 parse errors", "x = 1 y = 2", SelSyntax),
    ("5.1 result", "x + 1", 11, {"x": 10}),
    ("5.3 scoping", "if (true) { int x = 1; } return x;", 1),
    ("5.3 scoping", "for (int i = 0; i < 3; i += 1) {} i", 3),
    ("5.3 literal in loop", "t = 0; for (i = 0; i < 3; i += 1) { int y = 0; y += 1; t += y; } t", 3),
    ("ours", "int x = 1; int y = x; y += 1; x", 1),
    ("grammar", "if (false) if (true) 1; else return 2; return 3", 3),
    ("grammar", "if (true) if (false) 1; else return 2; return 3", 2),
    ("grammar", "for (;;) while (true) if (true) break; else continue;", SelLimit),
    ("grammar", "import java.util.*; import static a.b.C; 1", 1),
    ("grammar", "1; import a;", SelSyntax),
    ("5.1 statements", "do { 1; } while (true);", SelSyntax),
    ("5.1 statements", "switch (x) {}", SelSyntax),
    ("5.1 statements", "final int x = 1;", SelSyntax),
    ("5.1 statements", "method();", SelSyntax),
    ("grammar", "if (true) int x = 1;", SelSyntax),
    ("grammar", "int x=1+1=3;", SelSyntax),
    ("SelVisitor", "if (1) 2;", SelTypeError),
    ("SelVisitor", "while (null) 2;", SelTypeError),
    ("ours", "break;", SelSyntax),
    ("ours", "if (true) continue;", SelSyntax),
)
def test_statements(row: Row) -> None:
    row.check()


@table(
    ("5.3 if value", "throw 'no';", SelRuntimeError),
    ("5.3 if value", "throw 1;", SelTypeError),
    ("ExprEvaluatorTest", "1 + 1 == 2; throw 'user provided error';", SelRuntimeError),
    ("ExprEvaluatorTest", "if (1 + 1 == 2) throw 'user provided error'; else return 0;", SelRuntimeError),
)
def test_throw(row: Row) -> None:
    row.check()


@table(
    ("5.3 strings", "'a\\tb\\n\\'\\\"\\\\'", "a\tb\n'\"\\"),
    ("5.3 strings", '"it\'s"', "it's"),
    ("5.3 strings", "'say \"so\"'", 'say "so"'),
    ("5.3 strings", "'\\u0041\\uu0042'", "AB"),
    ("5.3 strings", "'\\\\u0041'", "\\u0041"),
    ("5.3 strings", "'\\u00'", SelSyntax),
    ("5.3 strings", "'\\0'", SelSyntax),
    ("5.3 strings", "'\\101'", SelSyntax),
    ("grammar", "'\\q'", SelSyntax),
    ("grammar", "'a", SelSyntax),
    ("grammar", "'a\nb'", SelSyntax),
    ("grammar", "\\u0031 + 1", 2),
    ("grammar", "$a_é1 = 5; $a_é1", 5),
    ("grammar", "#", SelSyntax),
    ("grammar", "/* never closed", SelSyntax),
    ("grammar", "/**/ 1 /***/ + /* * */ 2; // end", 3),
)
def test_tokens(row: Row) -> None:
    row.check()


@table(
    ("5.3 declarations", "double q = 1", SelTypeError),
    ("5.3 declarations", "new double[]{1, 2}", SelSyntax),
    ("5.3 declarations", "new double[]{1, 2};", SelTypeError),
    ("5.3 declarations", "String t = null", SelTypeError),
    ("5.3 declarations", "int a = 1, b = 2, c; a + b + c", 3),
    ("SelTypes", "double d; float f = 1.5; d + f", 1.5),
    ("SelTypes", "boolean b; b", False),
    ("SelTypes", "String s; s", None),
    ("SelTypes", "String s; s == null", True),
    ("SelTypes", "String s; s + 'a'", "nulla"),
    ("SelTypes", "String s; s.length()", SelRuntimeError),
    ("SelTypes", "String s; s = 'a'; s.length()", 1),
    ("SelTypes", "int[] a; a.length", 0),
    ("SelTypes", "Map m; m.size()", 0),
    ("SelTypes", "Map m; m.containsKey('a')", False),
    ("SelTypes", "Map m; m.get('a')", SelRuntimeError),
    ("SelTypes", "Map[] m;", SelTypeError),
    ("SelTypes", "Foo f;", SelTypeError),
    ("SelTypes", "Math m;", SelTypeError),
    ("SelTypes", "int x = 1; String x = 'a'; x", "a"),
    ("SelTypes", "Integer a = 1; Long b = 2; HashMap m = new LinkedHashMap(); a + b", 3),
    ("grammar", "int x += 1", SelSyntax),
)
def test_declarations(row: Row) -> None:
    row.check()
