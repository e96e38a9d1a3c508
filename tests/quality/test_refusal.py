"""A refusal is at the beginning, in the model's own voice; the labelled cases hold the rest."""

import pytest

from proxy.quality.refusal import refuses

NO = "I'm sorry, but I can't help with that."


def test_a_refusal_is_known_whatever_its_apostrophe_case_and_markup() -> None:
    assert refuses(NO)
    assert refuses(NO.upper())
    assert refuses(NO.replace("'", "’"))
    assert refuses(f"\n\n**{NO}**")


@pytest.mark.parametrize("before", ['"', "“", "「", "He said: ", "{", "(", "| "])
def test_a_refusal_in_anothers_voice_is_none(before: str) -> None:
    assert not refuses(before + NO)


def test_a_refusal_after_an_answer_is_none() -> None:
    assert not refuses("The depot is open from nine to five. " * 4 + NO)


def test_words_that_only_sound_like_one_are_none() -> None:
    assert not refuses("You cannot return it, and that is not unusual.")
    assert not refuses("")
