"""`turnout notify`: what a person sees of a test."""

import json

from proxy.notifiers import Tried
from tests.cli.conftest import Run
from tests.support.served_admin import ServedAdmin

TOOK_IT = Tried(notifier="slack", where="hooks.slack.com", seconds=0.1234)
REFUSED = Tried(notifier="email", where="smtp.example.com", seconds=2.0, trouble="TimeoutError")


def test_all_that_took_it_are_shown(turnout: Run, admin: ServedAdmin) -> None:
    admin.behind.told.answers = [TOOK_IT]
    result = turnout("notify")
    assert result.exit_code == 0
    assert result.stdout == "slack         hooks.slack.com: took it, after 123 ms\n"
    assert len(admin.behind.told.notices) == 1


def test_who_did_not_take_it_is_shown_with_the_reason(turnout: Run, admin: ServedAdmin) -> None:
    admin.behind.told.answers = [TOOK_IT, REFUSED]
    result = turnout("notify")
    assert result.exit_code == 1
    assert "email         smtp.example.com: did not take it: TimeoutError" in result.stdout


def test_where_nobody_is_told_it_says_so(turnout: Run) -> None:
    result = turnout("notify")
    assert result.exit_code == 1
    assert "alerts.notify" in result.stdout


def test_it_is_to_be_had_as_json(turnout: Run, admin: ServedAdmin) -> None:
    admin.behind.told.answers = [TOOK_IT]
    found = json.loads(turnout("notify", "--json").stdout)
    assert found["notifiers"][0]["taken"] is True
