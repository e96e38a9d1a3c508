"""`turnout alerts` and `turnout silence`, against a running administration."""

import json

import pytest

from proxy.alerting import AlertName
from proxy.alerting.windows import WindowAlert
from proxy.cli.watching.silence import ALERTS
from tests.cli.conftest import Run
from tests.support.administered import READER, alert
from tests.support.alerted import fail
from tests.support.served_admin import ServedAdmin


def test_the_names_are_those_there_are() -> None:
    assert list(ALERTS) == [*AlertName, *WindowAlert]


def test_where_nothing_fires_it_says_so_and_ends_with_0(turnout: Run) -> None:
    result = turnout("alerts")
    assert result.exit_code == 0
    assert "Nothing fires or is pending." in result.stdout
    assert "alerts of the last 5 minutes: none" in result.stdout


def test_what_fires_is_listed_with_its_runbook_and_requests_and_ends_with_1(
    turnout: Run, admin: ServedAdmin
) -> None:
    fail(admin.behind.watching)
    result = turnout("alerts")
    assert result.exit_code == 1
    heads, row, *rest = (" ".join(line.split()) for line in result.stdout.splitlines()[1:])
    assert heads == "alert of value threshold since silenced until"
    assert row == "firing error_rate support/ft-v2 100 % 5 just now"
    assert rest[1].startswith("error_rate on support / ft-v2: 100 % of requests fail (10 requests")
    assert rest[2:4] == ["runbook: docs/runbooks/error_rate.md", "requests: req-7 req-8 req-9"]

    told = json.loads(turnout("alerts", "--json").stdout)
    assert [each["alert"] for each in told["alerts"]] == ["error_rate"]
    assert "firing error_rate support/ft-v2" in " ".join(turnout("status").stdout.split())


def test_what_is_pending_is_nothing_to_get_up_for(turnout: Run, admin: ServedAdmin) -> None:
    fail(admin.behind.watching, for_seconds=3600.0)
    result = turnout("alerts")
    assert result.exit_code == 0
    assert "pending  error_rate  support/ft-v2" in result.stdout
    assert "runbook" not in result.stdout


def test_a_silence_is_made_listed_hushes_and_is_ended(turnout: Run, admin: ServedAdmin) -> None:
    fail(admin.behind.watching)
    words = ("--route", "support", "--variant", "ft-v2", "--for", "2h", "--why", "a load test")
    made = turnout("silence", "add", *words)
    assert made.exit_code == 0
    first, second = made.stdout.splitlines()
    assert first == "silence 1: nobody is told of all alerts on support/ft-v2"
    assert second.startswith("until 20")
    assert second.endswith("turnout silence end 1")

    admin.behind.watching.look()
    assert turnout("alerts").exit_code == 0, "what is silenced calls nobody"
    heads, row = (
        " ".join(line.split()) for line in turnout("silence", "list").stdout.splitlines()
    )
    assert heads == "of until who why"
    assert row.startswith("1 all alerts on support/ft-v2 20")
    assert row.endswith("ann a load test")
    (told,) = json.loads(turnout("silence", "list", "--json").stdout)["silences"]
    assert (told["number"], told["why"]) == (1, "a load test")

    ended = turnout("silence", "end", "1", "--why", "over")
    assert ended.stdout == "silence 1 of all alerts on support/ft-v2 is over\n"
    assert turnout("silence", "list").stdout == "No silence lasts.\n"
    assert admin.behind.entries[-1].why == "over"
    again = turnout("silence", "end", "1")
    assert again.exit_code == 1
    assert "no silence 1 that lasts" in again.stderr


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("--all", "all alerts"),
        ("--alert slow", "slow"),
        ("--alert slow --route support", "slow on support/*"),
        ("--variant ft-v2", "all alerts on */ft-v2"),
    ],
)
def test_a_silence_says_what_it_is_of(turnout: Run, words: str, what: str) -> None:
    made = turnout("silence", "add", *words.split(), "--for", "90s", "--why", "a drill")
    assert made.exit_code == 0
    assert made.stdout.startswith(f"silence 1: nobody is told of {what}\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--for 1h --why x", "Say which: --alert, --route or --variant; or --all, alone."),
        ("--all --route support --for 1h --why x", "or --all, alone"),
        ("--all --why x", "Missing option '--for'"),
        ("--all --for 1h", "Missing option '--why'"),
        ("--alert slwo --for 1h --why x", "is not one of 'slow', 'short'"),
        ("--all --for soon --why x", "is no duration"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(run: Run, words: str, told: str) -> None:
    result = run("silence", "add", *words.split(), "--admin-url", "http://127.0.0.1:1")
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())


def test_what_there_is_not_is_refused_with_what_there_is(turnout: Run) -> None:
    result = turnout("silence", "add", "--route", "nope", "--for", "1h", "--why", "x")
    assert result.exit_code == 1
    assert "there are: support, org/chat" in result.stderr


def test_a_reader_may_look_and_not_silence(turnout: Run) -> None:
    words = ("silence", "add", "--all", "--for", "1h", "--why", "x")
    assert turnout(*words, TURNOUT_ADMIN_TOKEN=READER).exit_code == 1
    assert turnout("silence", "list", TURNOUT_ADMIN_TOKEN=READER).exit_code == 0
    assert turnout("alerts", TURNOUT_ADMIN_TOKEN=READER).exit_code == 0


def test_what_single_requests_raised_stands_below(turnout: Run, admin: ServedAdmin) -> None:
    admin.behind.lately.alert(alert())
    assert "slow" in turnout("alerts").stdout
