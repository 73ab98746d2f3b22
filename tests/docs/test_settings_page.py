"""The page about settings says what the code does. ``python -m tests.docs.test_settings_page`` writes its table."""

from __future__ import annotations

from pathlib import Path

from attrs import Attribute, fields

from maestro_flow.config.configuration import CONFIG_VARIABLE, ENVIRONMENT_PREFIX, FILE_NAME
from maestro_flow.config.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "settings.md"
BEGIN, END = (
    "<!-- settings: begin, written by python -m tests.docs.test_settings_page -->\n",
    "<!-- settings: end -->\n",
)

UNITS = {"_bytes_max": "bytes", "_threads": "threads", "_s": "seconds", "_max": "a count"}
"""What the end of a name says about its unit; the first that fits counts."""


TABLES = ("step_types", "executors")
"""Settings that are tables, of a table for each plugin."""


def unit_of(name: str) -> str:
    if name in TABLES:
        return "tables"
    return next((unit for end, unit in UNITS.items() if name.endswith(end)), "a name")


def default_of(setting: Attribute[object]) -> str:
    if setting.name in TABLES:
        return "none"
    value = setting.default
    return str(value) if isinstance(value, str) else f"{value:,}".removesuffix(".0")


def table() -> str:
    """One row a setting, in the order of the code."""
    rows = [
        f"| `{setting.name}` | {unit_of(setting.name)} | {default_of(setting)} | {setting.metadata['reason']} |"
        for setting in fields(Settings)
    ]
    return "\n".join(["| setting | unit | default | what it is, and why |", "|---|---|---|---|", *rows])


def rewrite(page: str) -> str:
    """The page with its table as it should be."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n\n{END}{after}"


def test_the_table_is_that_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert rewrite(page) == page, "run: python -m tests.docs.test_settings_page"


def test_every_setting_ends_in_its_unit() -> None:
    assert [setting.name for setting in fields(Settings) if unit_of(setting.name) == "a name"] == ["runtime"]


def test_the_page_names_the_environment_and_the_file() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [
        name for name in (f"{ENVIRONMENT_PREFIX}LEASE_S", CONFIG_VARIABLE, FILE_NAME) if f"`{name}`" not in page
    ] == []


if __name__ == "__main__":
    PAGE.write_text(rewrite(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
