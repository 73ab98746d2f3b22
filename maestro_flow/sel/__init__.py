"""SEL, Maestro's expression language: a safe subset of Java, for params and conditions.

>>> from maestro_flow.sel import evaluate
>>> evaluate("Util.incrementDateInt(day, 7)", {"day": 20190226})
'20190305'

Sandboxed by construction: an expression is interpreted over a closed table of types and functions; it cannot reach any
Python attribute, and all resources are limited (``SelLimits``).
"""

from __future__ import annotations

from maestro_flow.errors import SelError, SelLimit, SelRuntimeError, SelSyntax, SelTypeError
from maestro_flow.sel.evaluation import evaluate, referenced_names
from maestro_flow.sel.frame import ParamFunctions
from maestro_flow.sel.functions.params import PARAM_FUNCTIONS
from maestro_flow.sel.limits import SelLimits, Visits

__all__ = [
    "PARAM_FUNCTIONS",
    "ParamFunctions",
    "SelError",
    "SelLimit",
    "SelLimits",
    "SelRuntimeError",
    "SelSyntax",
    "SelTypeError",
    "Visits",
    "evaluate",
    "referenced_names",
]
