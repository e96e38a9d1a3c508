"""Which replies are held against a form, whose, and what is said where it can't be told."""

import json
import time
from typing import Any

import pytest

from proxy.config.settings import Form, Looks
from proxy.exchange.observation import Observation, Texts
from proxy.exchange.outcome import Outcome
from proxy.formats import Checker
from tests.support.observed import observed

JSON = Form(json_schema=b"true")
OBJECT = b'{"type":"json_object"}'
NAMED = {"type": "object", "required": ["name"]}


def replied(reply: str, form: bytes = b"", **changes: Any) -> Observation:
    return observed(**{"texts": Texts(b"", reply, (), form), **changes})


def checked(seen: Observation, form: Form | None = None, percent: float = 100.0) -> str | None:
    checker = Checker(Looks(form=form, check_percent=percent), {})
    return checker.check(seen).format_check if checker.due(seen) else None


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ('{"name": "bolt"}', "kept"),
        (" \n[1, 2]\n", "kept"),
        ("5", "kept"),
        ("", "broken"),
        ("Here it is: {}", "broken"),
        ('```json\n{"name": "bolt"}\n```', "broken"),
        ('{"name": "bo', "broken"),
        ("{'name': 'bolt'}", "broken"),
        ("[" * 50_000 + "]" * 10_000, "unchecked"),
        ('"' + "x" * 70_000 + '"', "unchecked"),
        ('"\ud800"', "broken"),
    ],
)
def test_json_is_json_as_it_came(reply: str, expected: str) -> None:
    assert checked(replied(reply), JSON) == expected


def test_a_pattern_matches_the_whole_reply_but_for_the_space_around_it() -> None:
    label = Form(regex="yes|no")
    assert checked(replied(" yes\n"), label) == "kept"
    assert checked(replied("yes, of course"), label) == "broken"


def test_a_pattern_that_runs_away_is_stopped() -> None:
    assert checked(replied("a" * 5000 + "!"), Form(regex="(a|aa)+")) == "unchecked"


def test_a_reply_has_at_most_so_many_characters_even_where_only_its_beginning_came() -> None:
    assert checked(replied("12345"), Form(max_chars=5)) == "kept"
    assert checked(replied("123456"), Form(max_chars=5)) == "broken"
    assert checked(replied("x" * 66_000), Form(max_chars=5)) == "broken"
    assert checked(replied("x" * 66_000), Form(max_chars=90_000)) == "unchecked"


def test_all_that_is_said_of_a_form_holds() -> None:
    form = Form(json_schema=json.dumps(NAMED).encode(), regex=r"\{.*\}", max_chars=20)
    assert checked(replied('{"name": "bolt"}'), form) == "kept"
    assert checked(replied('{"name": "a long name"}'), form) == "broken"
    assert checked(replied('{"no": "bolt"}'), form) == "broken"
    assert checked(replied("{name: bolt}"), form) == "broken"


@pytest.mark.parametrize(
    ("form", "reply", "expected"),
    [
        ({"type": "json_object"}, "{}", "kept"),
        ({"type": "json_object"}, "[]", "broken"),
        ({"type": "json_schema", "json_schema": {"schema": NAMED}}, '{"name": 1}', "kept"),
        ({"type": "json_schema", "json_schema": {"schema": NAMED}}, "{}", "broken"),
        ({"type": "json_schema", "schema": NAMED}, "{}", "broken"),
        ({"type": "json_schema", "name": "without one"}, "{}", "kept"),
        ({"type": "json_schema", "schema": {"type": "nothing"}}, "{}", "unchecked"),
        ({"type": "json_schema", "schema": 5}, "{}", "unchecked"),
        ({"type": "grammar"}, "{}", "unchecked"),
        ({"type": 5}, "{}", "unchecked"),
        ({}, "{}", "unchecked"),
    ],
)
def test_the_form_that_a_request_asks_for_is_taken_from_any_dialect(
    form: dict[str, Any], reply: str, expected: str
) -> None:
    assert checked(replied(reply, json.dumps(form).encode())) == expected


def test_a_routes_own_form_goes_before_that_of_a_request() -> None:
    checker = Checker(Looks(), {"support": Looks(form=Form(regex="yes|no"))})
    assert checker.check(replied("yes", OBJECT)).format_check == "kept"
    assert checker.check(replied("yes", OBJECT, route="other")).format_check == "broken"


@pytest.mark.parametrize(
    "changes",
    [
        {"texts": None},
        {"texts": Texts(b"{}", "prose")},
        {"tool_calls": 1},
        {"refused": True},
        {"in_band_error": True},
        {"outcome": Outcome.CLIENT_GONE},
        {"outcome": Outcome.UPSTREAM_CUT},
        {"dialect": "embeddings"},
        {"status": 500},
    ],
)
def test_what_is_no_whole_reply_in_words_or_has_no_form_is_not_due(
    changes: dict[str, Any],
) -> None:
    assert checked(replied("prose", OBJECT, **changes)) is None


def test_each_choice_must_have_the_form() -> None:
    two = Texts(b"", "{}{}", (2, 2), OBJECT)
    assert checked(replied("", texts=two)) == "kept"
    one = Texts(b"", "{}no", (2, 2), OBJECT)
    assert checked(replied("", texts=one)) == "broken"


def test_a_share_of_the_replies_is_looked_at_and_the_others_are_unchecked() -> None:
    seen = [replied("{}", OBJECT, request_id=f"req-{n}") for n in range(1000)]
    kept = [checked(each, percent=20.0) for each in seen]
    assert 150 < kept.count("kept") < 250
    assert kept.count("kept") + kept.count("unchecked") == 1000
    assert [checked(each, percent=20.0) for each in seen] == kept
    assert checked(seen[0], percent=0.0) is None


def test_what_forms_of_clients_may_cost_is_bounded_and_forgiven_in_time() -> None:
    schema = {"type": "json_schema", "schema": {"pattern": "^(a|aa)+$"}}
    costly = replied(json.dumps("a" * 99 + "!"), json.dumps(schema).encode())
    checker = Checker(Looks(), {})
    began = time.process_time()
    assert {checker.check(costly).format_check for _ in range(100)} == {"unchecked"}
    assert time.process_time() - began < 10  # some 20 time-outs, not 100
    for _ in range(200):
        checker.check(replied("{}", OBJECT))
    assert checker.check(replied("{}", OBJECT)).format_check == "kept"
