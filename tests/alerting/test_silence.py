"""What a silence is of: what has all that it says, for its time."""

from typing import Any

import pytest

from proxy.alerting.silence import Silence, covering


def silence(**said: Any) -> Silence:
    facts: dict[str, Any] = {"begins_at": 100.0, "ends_at": 200.0, "who": "ann", "why": ""}
    return Silence(**(facts | said))


@pytest.mark.parametrize(
    ("said", "so"),
    [
        ({}, True),
        ({"alert": "slow"}, True),
        ({"alert": "short"}, False),
        ({"route": "support"}, True),
        ({"route": "other"}, False),
        ({"variant": "base"}, True),
        ({"route": "support", "variant": "ft-v2"}, False),
        ({"alert": "slow", "route": "support", "variant": "base"}, True),
    ],
)
def test_it_is_of_what_has_all_that_it_says(said: dict[str, Any], *, so: bool) -> None:
    assert silence(**said).covers("slow", "support", "base", 150.0) is so


def test_it_begins_and_ends() -> None:
    found = [silence().covers("slow", None, None, at) for at in (99.9, 100.0, 199.9, 200.0)]
    assert found == [False, True, True, False]


def test_of_several_the_one_that_lasts_longest_is_named() -> None:
    short, long = silence(number=1), silence(number=2, ends_at=900.0, alert="slow")
    assert covering((long, short), "slow", None, None, 150.0) is long
    assert covering((long, short), "short", None, None, 150.0) is short
    assert covering((long, short), "slow", None, None, 950.0) is None
