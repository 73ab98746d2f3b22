"""Bugs injected into the code, to show that the tests can fail: ``python -m tests.mutants [NAME...]``.

A mutant replaces pieces of the source, of SQL or of Lua while they are read by the process under test; no file changes.
A piece that does not occur exactly once is an error: the code has changed, and the mutant must follow it.

    mutant     what a mutant is, and its effect on a text
    catalogue  all of them: stores, ownership, engine, decisions
    applying   in a process: the import system and the reader of the scripts hand out changed texts
    running    a selection of tests in its own process, and its verdict
"""
