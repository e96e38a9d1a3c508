"""An interval of 95 % holds the truth in about 95 of 100 cases, by simulation."""

from functools import cache
from math import sqrt

import pytest

from tests.experiments.coverage import METHODS, SCENARIOS, Held, held

ROUNDS = 150
CHANCE = 3.3 * sqrt(0.95 * 0.05 / ROUNDS)  # how far off so few rounds may be
LEAST = 0.94 - CHANCE


@cache
def found(scenario: str) -> dict[str, Held]:
    return held(scenario, tuple(METHODS), ROUNDS, units=60_000)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_intervals_hold_the_truth_about_as_often_as_they_say(scenario: str) -> None:
    for method, each in found(scenario).items():
        if each.given > 0.5:
            assert each.ours >= LEAST, (method, each)


def test_they_are_not_so_wide_that_they_say_nothing() -> None:
    """Where requests are independent they are the textbook's."""
    assert all(each.ours < 1 for each in found("independent requests").values())


def test_to_take_each_request_for_itself_would_be_wrong() -> None:
    naive = found("units alike, heavy-tailed sizes")
    assert all(naive[method].naive < 0.7 for method in ("rate", "mean", "p50"))
