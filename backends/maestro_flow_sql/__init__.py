"""Stores on SQL databases.

``schema`` and ``queries`` are SQLAlchemy Core, independent of the dialect. What is specific to a dialect (connections,
transactions, the hot verbs) is in a package of its name.
"""
