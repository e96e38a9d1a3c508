"""`turnout demo`: what its options mean to the demo. That it works is shown in tests/demo."""

import pytest
from click.testing import CliRunner
from rich.console import Console

import proxy.demo
from proxy.cli.demo import demo
from proxy.demo import Options


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Options]:
    """What the demo was run with; it says that turnout did not do its job."""
    seen: list[Options] = []

    def run_demo(options: Options, console: Console) -> int:
        seen.append(options)
        return 1

    monkeypatch.setattr(proxy.demo, "run_demo", run_demo)
    return seen


def test_without_options_all_is_for_the_demo_to_choose(ran: list[Options]) -> None:
    CliRunner().invoke(demo, [])
    assert ran == [Options()]


def test_options_reach_the_demo_and_its_verdict_is_the_exit_code(ran: list[Options]) -> None:
    words = ["--seconds", "9", "--rate", "2.5", "--port", "81", "--admin-port", "82", "--plain"]
    result = CliRunner().invoke(demo, words)
    assert ran == [Options(seconds=9, rate=2.5, port=81, admin_port=82, plain=True)]
    assert result.exit_code == 1


@pytest.mark.parametrize("words", [["--rate", "0"], ["--seconds", "0"], ["--port", "70000"]])
def test_what_makes_no_sense_is_refused(ran: list[Options], words: list[str]) -> None:
    assert CliRunner().invoke(demo, words).exit_code == 2
    assert ran == []
