"""A reply is short where a model gave less than it was asked for, and for no other reason."""

from typing import Any

import pytest

from proxy.exchange.observation import Observation
from proxy.exchange.outcome import Outcome
from proxy.quality import Signal, judgeable, read, short


def finished(**facts: Any) -> Observation:
    given: dict[str, Any] = {
        "request_id": "req_1",
        "started_at": 0.0,
        "table_version": 1,
        "outcome": Outcome.COMPLETED,
        "status": 200,
        "dialect": "chat",
        "reply_chars": 3,
        **facts,
    }
    return Observation(**given)


@pytest.mark.parametrize(("chars", "expected"), [(0, True), (9, True), (10, False), (11, False)])
def test_a_reply_below_the_threshold_is_short(chars: int, expected: bool) -> None:  # noqa: FBT001  # a table's column
    assert short(finished(reply_chars=chars), 10) is expected


def test_a_threshold_of_nothing_finds_nothing_short() -> None:
    assert not short(finished(reply_chars=0), 0)


@pytest.mark.parametrize("dialect", ["chat", "completions", "responses", "messages"])
def test_every_dialect_of_words_is_judged(dialect: str) -> None:
    assert short(finished(dialect=dialect), 10)


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"tool_calls": 1}, id="a tool was called"),
        pytest.param({"refused": True}, id="declined by policy"),
        pytest.param({"dialect": "embeddings"}, id="vectors"),
        pytest.param({"dialect": "none"}, id="a path that is passed through"),
        pytest.param({"reply_chars": None}, id="no text"),
        pytest.param({"in_band_error": True}, id="an error inside a 200 reply"),
        pytest.param({"status": 404}, id="the upstream said no"),
        pytest.param({"status": 302}, id="sent elsewhere"),
        pytest.param({"status": 199}, id="no final status"),
        pytest.param({"status": None}, id="nothing was sent"),
        *(
            pytest.param({"outcome": outcome}, id=outcome.value)
            for outcome in Outcome
            if outcome is not Outcome.COMPLETED
        ),
    ],
)
def test_what_is_short_for_a_reason_of_its_own_is_not_judged(facts: dict[str, Any]) -> None:
    assert not judgeable(finished(**facts))
    assert not short(finished(**facts), 10)


def test_a_long_whole_reply_may_be_judged() -> None:
    assert judgeable(finished(reply_chars=5000))


def test_only_the_signals_that_are_wanted_are_read_in_their_order() -> None:
    seen = finished(reply_chars=0, finish_reason="length")
    assert read(seen, short_chars=10) == (Signal.SHORT, Signal.EMPTY, Signal.LENGTH)
    assert read(seen, short_chars=10, wanted=(Signal.LENGTH, Signal.EMPTY)) == (
        Signal.LENGTH,
        Signal.EMPTY,
    )
    assert read(seen, short_chars=10, wanted=()) == ()


def test_without_its_words_nothing_is_said_of_a_replys_wording() -> None:
    no = "I'm sorry, but I can't help with that."
    assert read(finished(reply_chars=len(no)), short_chars=10) == ()
    assert read(finished(reply_chars=len(no)), [no], short_chars=10) == (Signal.REFUSAL,)
