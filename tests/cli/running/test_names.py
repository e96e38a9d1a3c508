from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.test_completion import completed


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("turnout rollback s", ["support"]),
        ("turnout split support ", ["base=", "ft-v2="]),
        ("turnout split by-key b", ["base="]),
        ("turnout split nowhere b", []),
        ("turnout variant off f", ["ft-v2"]),
        ("turnout variant drain support f", ["ft-v2"]),
        ("turnout shadow support ", ["base", "ft-v2"]),
        ("turnout rollback --config nowhere.yaml s", []),
    ],
)
def test_names_are_those_of_the_file_where_nothing_runs(
    run: Run, file: Path, words: str, found: list[str]
) -> None:
    assert completed(run, words, TURNOUT_ADMIN_URL="http://127.0.0.1:1") == found


def test_names_are_those_of_the_running_turnout(turnout: Run, file: Path) -> None:
    turnout("variant", "add", "support", "ft-v3", "--upstream", "vllm")

    assert completed(turnout, "turnout split support ") == ["base=", "ft-v2=", "ft-v3="]
    assert completed(turnout, "turnout pin ") == ["org/chat", "support"]


def test_a_file_that_says_nothing_usable_completes_nothing(run: Run, file: Path) -> None:
    for text in ("routes: {a: 1}", "routes: {a: {variants: [b]}}", "routes: 1", "x: ["):
        file.write_text(text, encoding="utf-8")

        assert completed(run, "turnout variant off ", TURNOUT_ADMIN_URL="http://127.0.0.1:1") == []
