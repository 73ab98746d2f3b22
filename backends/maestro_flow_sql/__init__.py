"""Stores on SQL databases.

``schema`` and ``queries`` are SQLAlchemy Core and know no dialect; what a dialect does in its own way (connections,
transactions, the hot verbs) lies in a folder of its name.
"""
