"""SQLite: one file for the processes of one host."""

from __future__ import annotations

from maestro_flow_sql.sqlite.opening import open_sqlite

__all__ = ["open_sqlite"]
