"""Pages that show commands on a running turnout: each is run, in order, and says what is shown.

Numbers that differ each time (how long, when, which process) are left out of the comparison.
"""

import os
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from proxy.cli import main
from proxy.cli.running.refused import CHANGED, REFUSED
from tests.cli.test_serve import serving
from tests.frame.examples import fenced
from tests.frame.source import document

ENDLESS = ("serve", "--watch")
CHANGEABLE = (
    (re.compile(r"after \d+ ms"), "after N ms"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "WHEN"),
    (re.compile(r"\d+ \w+ ago|just now"), "AGO"),
    (re.compile(r"^(\d+) +\d+ ", re.MULTILINE), r"\1 PROCESS "),
    (re.compile(r"\b\d+\.\d+\.\d+\b"), "RELEASE"),
    (re.compile(r"[ \t]+"), " "),
)


def shown(page: str) -> list[tuple[str, str]]:
    """Return a page's turnout commands, each with the output that stands below it."""
    blocks = [block for language, block in fenced(page) if language == "console"]
    pieces = [piece for block in blocks for piece in re.split(r"^\$ ", block, flags=re.MULTILINE)]
    lines = [piece.partition("\n")[::2] for piece in pieces]
    return [(line, told) for line, told in lines if line.startswith("turnout ")]


def same(text: str) -> str:
    """Return a text without what differs each time."""
    for pattern, instead in CHANGEABLE:
        text = pattern.sub(instead, text)
    return text.strip()


def code(expected: str) -> int:
    """Return the exit code that goes with what a page shows."""
    if not expected.startswith("turnout: "):
        return 0
    return CHANGED if "changed meanwhile" in expected else REFUSED


def configuration(page: str) -> str:
    """Return a page's first file."""
    first: str = next(block for language, block in fenced(page) if language == "yaml")
    return first


# What happened on the page's turnout before its reader was woken.
EVENING = "$ turnout split support base=75 ft-v2=25\n$ turnout split support base=50 ft-v2=50\n"


@pytest.mark.parametrize(
    ("name", "section", "file", "before"),
    [
        ("changing", "", "changing", ""),
        ("getting-started", "## Change, and undo", "getting-started", ""),
        ("rollback-at-3am", "", "changing", f"```console\n{EVENING}```\n"),
    ],
    ids=["changing", "getting-started", "rollback-at-3am"],
)
def test_the_commands_of_a_page_do_what_it_shows(  # noqa: PLR0917  # one page's facts
    name: str,
    section: str,
    file: str,
    before: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = document(f"docs/{name}.md")
    declared = configuration(document(f"docs/{file}.md"))
    (tmp_path / "turnout.yaml").write_text(declared, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("COLUMNS", "100")
    for variable in ("TURNOUT_CONFIG", "TURNOUT_ADMIN_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    with serving(tmp_path) as (_, (_, admin)):
        monkeypatch.setenv("TURNOUT_ADMIN_URL", admin)
        for line, expected in shown(before + page[page.index(section) :]):
            words = shlex.split(line, comments=True)[1:]
            if not set(words) & set(ENDLESS):
                told = CliRunner(env=dict(os.environ)).invoke(main, words)
                assert told.exit_code == code(expected), told.output
                assert not expected or same(told.output) == same(expected), line
