"""PostgreSQL: one database for processes on many hosts."""

from __future__ import annotations

from maestro_flow_sql.postgres.opening import open_postgres

__all__ = ["open_postgres"]
