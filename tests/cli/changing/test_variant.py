import json

import pytest

from tests.cli.conftest import Run
from tests.support.served_admin import ServedAdmin


def test_a_variant_comes_serves_and_goes(turnout: Run, admin: ServedAdmin) -> None:
    words = "support brief --upstream vllm --weight 10 --override max_tokens=20 --default user=x"
    for command in (
        f"variant add {words}",
        "variant off ft-v2",
        "variant on ft-v2 --route support",
        "variant drain support brief",
        "variant remove support brief",
    ):
        result = turnout(*command.split())
        assert result.exit_code == 0, result.stderr
    second = admin.support(2)["variants"]["brief"]

    assert second == {
        "upstream": "vllm",
        "overrides": {"max_tokens": 20},
        "defaults": {"user": "x"},
    }
    assert admin.support(3)["variants"]["ft-v2"]["off"] is True
    assert admin.support()["split"] == {
        "base": 100.0,
        "ft-v2": 10.0,
    }  # the drained one's went to it


def test_what_can_not_be_served_is_refused_with_the_problem(turnout: Run) -> None:
    result = turnout("variant", "add", "support", "x", "--upstream", "nowhere")

    assert result.exit_code == 1
    assert "choose from: openai, vllm" in result.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("variant add support x", "--upstream"),
        ("variant add support x --upstream u --override max_tokens", "MEMBER=VALUE"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(run: Run, words: str, told: str) -> None:
    result = run(*words.split(), "--admin-url", "http://127.0.0.1:1")

    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())


def test_off_everywhere_is_off_where_it_can_be_and_says_where_it_can_not(
    turnout: Run, admin: ServedAdmin
) -> None:
    result = turnout("variant", "off", "base", "--why", "it makes things up")
    words = " ".join(result.stdout.split())

    assert result.exit_code == 1
    assert admin.support()["variants"]["base"]["off"] is True
    assert "in force on" in words
    assert "it is STILL ON for route 'org/chat', where no other variant is on" in words

    again = turnout("variant", "off", "base", "--json")
    only = turnout("variant", "off", "base", "--route", "support")
    refused = turnout("variant", "off", "base", "--route", "org/chat")

    assert (again.exit_code, json.loads(again.stdout)["left"]) == (1, ["org/chat"])
    assert only.exit_code == 0
    assert refused.exit_code == 1
    assert "route 'org/chat' would have no variant that is on" in refused.stderr
