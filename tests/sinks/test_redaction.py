import time

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.settings import Previews
from proxy.sinks.redaction import Redactor
from tests.support.observed import observed


def shown(text: str | None, *patterns: str, chars: int = 100) -> str | None:
    redactor = Redactor(Previews(chars=chars, redact=patterns))
    seen = redactor.redact(observed(prompt_preview=text, response_preview=text))
    assert seen.prompt_preview == seen.response_preview
    return seen.prompt_preview


def test_previews_are_cut_to_a_hundred_characters() -> None:
    assert shown("x" * 400) == "x" * 100
    assert shown("short") == "short"
    assert shown(None) is None


def test_longer_previews_can_be_asked_for() -> None:
    assert shown("x" * 5000, "y", chars=1000) == "x" * 1000


def test_previews_off_leaves_nothing() -> None:
    assert shown("words", chars=0) is None


def test_what_a_pattern_matches_is_masked_everywhere() -> None:
    assert shown("a 1234 b 5678", r"\d{4}") == "a [redacted] b [redacted]"


def test_patterns_are_applied_one_after_the_other() -> None:
    assert shown("key sk-abc mail a@b.c", r"sk-\w+", r"\S+@\S+") == (
        "key [redacted] mail [redacted]"
    )


def test_a_secret_that_crosses_the_cut_is_not_half_shown() -> None:
    text = "x" * 90 + "sk-" + "s" * 40
    seen = shown(text, r"sk-s{40}")
    assert seen == "x" * 90 + "[redacted]"


@given(st.integers(0, 250), st.integers(1, 100))
def test_wherever_a_secret_stands_no_part_of_it_is_shown(at: int, chars: int) -> None:
    text = "." * at + "S" * 50 + "." * (350 - at)
    seen = shown(text, "S{50}", chars=chars)
    assert seen is not None
    assert "S" not in seen
    assert len(seen) <= chars


def test_an_exchange_that_needs_no_redaction_is_passed_on_as_it_is() -> None:
    seen = observed()
    assert Redactor(Previews()).redact(seen) is seen


def test_a_bad_pattern_is_told_at_once() -> None:
    with pytest.raises(regex.error):
        Redactor(Previews(redact=("(",)))


HOSTILE = "a" * 399 + "!"


def test_a_pattern_that_runs_away_is_stopped_and_nothing_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert shown(HOSTILE, "(a+)+$") == "[withheld: redaction took too long]"
    assert "too slow" in capsys.readouterr().out


def test_what_runaway_patterns_cost_is_bounded_and_ordinary_words_come_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    redactor = Redactor(Previews(redact=("(a+)+$",)))
    hostile = observed(prompt_preview=HOSTILE, response_preview=None)
    began = time.process_time()
    seen = {redactor.redact(hostile).prompt_preview for _ in range(500)}
    assert time.process_time() - began < 2.0  # five timeouts, not five hundred
    assert seen == {"[withheld: redaction took too long]"}
    assert capsys.readouterr().out.count("too slow") <= 6
    plain = observed(prompt_preview="hello", response_preview=None)
    assert "hello" in {redactor.redact(plain).prompt_preview for _ in range(1000)}
