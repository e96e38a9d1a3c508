"""Silences are kept in both databases, end, and are forgotten long after."""

from typing import Any

from sqlalchemy import Engine, text

from proxy.alerting.silence import Silence
from proxy.store.silences import KEPT_SECONDS, Silences

NOW = 1_795_000_000.25
HOUR = 3600.0


def silence(**said: Any) -> Silence:
    facts: dict[str, Any] = {
        "alert": "slow",
        "route": "support",
        "variant": "ft-v2",
        "begins_at": NOW,
        "ends_at": NOW + HOUR,
        "who": "ann",
        "why": "a load test",
    }
    return Silence(**(facts | said))


def test_what_is_kept_comes_back_as_it_was_in_the_order_of_its_end(engine: Engine) -> None:
    silences = Silences(engine)
    long = silences.add(silence(ends_at=NOW + 2 * HOUR))
    short = silences.add(silence(alert=None, route=None, variant=None))
    assert long.number is not None
    assert short.number == long.number + 1
    assert Silences(engine).lasting(NOW) == [short, long]
    assert silences.lasting(NOW + HOUR) == [long]
    assert silences.lasting(NOW + 2 * HOUR) == []


def test_one_is_ended_once_and_what_never_was_not_at_all(engine: Engine) -> None:
    silences = Silences(engine)
    kept = silences.add(silence())
    assert kept.number is not None
    assert silences.end(kept.number, NOW + 60) == kept
    assert silences.lasting(NOW + 60) == []
    assert silences.end(kept.number, NOW + 60) is None
    assert silences.end(99, NOW) is None


def test_what_is_long_over_is_taken_out_and_its_number_is_not_given_again(engine: Engine) -> None:
    silences = Silences(engine)
    old, last = silences.add(silence()), silences.add(silence())
    later = NOW + HOUR + KEPT_SECONDS + 1
    new = silences.add(silence(begins_at=later, ends_at=later + HOUR))
    with engine.connect() as connection:
        numbers = connection.execute(text("SELECT number FROM silences")).scalars().all()
    assert numbers == [new.number]
    assert new.number not in (old.number, last.number)
