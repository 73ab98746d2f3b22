"""Every code block of the README and of docs/ does what the page says (how, is told in ``pages``)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import INSTALLS, BlockFailed, blocks, run_page

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_blocks_of_a_page_run(page: Path, tmp_path: Path) -> None:
    run_page(page, tmp_path)


def test_what_a_page_installs_with_dev_py_is_run_by_ci() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert [command for command in INSTALLS if "dev.py" in command and command not in ci] == []


def page_of(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


def test_blocks_share_a_folder_and_a_continued_block_shares_its_program(tmp_path: Path) -> None:
    page = page_of(
        tmp_path,
        "<!-- file: seven.json -->\n\n```json\n7\n```\n"
        "```python\nimport json\nfrom pathlib import Path\nseven = json.loads(Path('seven.json').read_text())\n```\n"
        "and then\n"
        "```python\n# continues\nassert seven == 7\nPath('seen').touch()\n```\n"
        '```bash\npython -c \'assert __import__("os").path.exists("seen")\'\n```\n',
    )
    run_page(page, tmp_path)


def test_the_expected_exit_code_and_the_output_of_a_console_are_understood(tmp_path: Path) -> None:
    page = page_of(tmp_path, "```console\n$ python -c 'raise SystemExit(3)'  # exit 3\nsome output\n```\n")
    run_page(page, tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "```python\nassert 1 == 2\n```\n",
        "```bash\npython -c 'raise SystemExit(1)'\n```\n",
        "```bash\npython -c 'pass'  # exit 1\n```\n",
        "```bash\npython -c 'raise SystemExit(1)' | python -c 'pass'\n```\n",
        "```bash\ncurl example.org\n```\n",
        "```sh\npip install something-else\n```\n",
        "```fortran\nEND\n```\n",
        "```\nno language\n```\n",
        "```bash\n:\n```\n```python\n# continues\n1\n```\n",
        "```python\nnever closed\n",
    ],
)
def test_a_block_that_does_not_do_what_the_page_says_is_found(tmp_path: Path, text: str) -> None:
    with pytest.raises(BlockFailed, match=r"page\.md:\d+"):
        run_page(page_of(tmp_path, text), tmp_path)


def test_a_block_knows_its_line(tmp_path: Path) -> None:
    (block,) = blocks(page_of(tmp_path, "# Title\n\n````python\nx = '```'\n````\n"))
    assert (block.line, block.text) == (4, "x = '```'")
