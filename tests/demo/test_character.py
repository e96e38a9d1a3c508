"""A simulated model misbehaves when it is due, and never otherwise."""

from random import Random

import pytest

from proxy.demo.character import BASE, FINE_TUNE, SLOW_SECONDS, Character, Every, draft


def test_a_thing_happens_first_and_then_every_so_often() -> None:
    assert [count for count in range(1, 20) if Every(3, 5).due(count)] == [3, 8, 13, 18]


@pytest.mark.parametrize("character", [BASE, FINE_TUNE])
def test_a_reply_is_slow_or_short_just_when_it_is_due(character: Character) -> None:
    dice = Random(1)
    for count in range(1, 200):
        reply = draft(character, count, dice)
        assert (reply.before_first == SLOW_SECONDS) == character.slow.due(count)
        assert (len(" ".join(reply.words)) < 10) == character.short.due(count)
        assert reply.fails == character.failing.due(count)


def test_the_fine_tune_is_soon_slow_so_that_a_short_demo_shows_the_alert() -> None:
    assert FINE_TUNE.slow.first <= 5


def test_the_fine_tune_is_quicker_than_the_base() -> None:
    assert FINE_TUNE.first_token * 2 < BASE.first_token
