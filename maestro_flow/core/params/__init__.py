"""Params: what a run and its steps are called with, and how their values are found.

The package, from the ground up:

    messages         a value in short, and "did you mean": parts of error messages
    error_context    which run or step an error is about
    casts            values by declared type
    references       ``$name`` and ``${name}`` in literal strings
    plan             what of a definition has to be evaluated, found once per version
    merge            changes to params: which mode allows which source to change what
    defaults         the params that every run has without defining them
    step_params      the params that a step has now
    outer_scope      what a scope can read beside its own params: the run's, other steps', results, defaults
    expressions      SEL with one budget for a decision, a fixed time and a seeded source of randomness
    functions        ``params.getFromStep(...)`` and its like, for expressions
    scope            evaluates the params of one run or step, in the order in which they need each other
    evaluation       what a decision calls: params, timeouts, retry policies, conditions, outputs

``maestro_flow.core`` uses ``evaluation``, ``plan`` and ``step_params``; ``maestro_flow.dsl`` checks definitions with
``casts``, ``merge``, ``references`` and ``plan``.
"""
