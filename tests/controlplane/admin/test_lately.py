"""Alerts of the last minutes: counted by rule, route and variant, then forgotten."""

from proxy.alerting import AlertName
from proxy.controlplane.admin.lately import SECONDS, STEP, Lately
from tests.support.administered import alert
from tests.support.published import NOON


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_alerts_are_counted_by_kind_the_most_frequent_first() -> None:
    lately = Lately(Clock())
    for _ in range(2):
        lately.alert(alert("ft-v2"))
    lately.alert(alert("base"))
    lately.alert(alert("base", AlertName.SHORT))
    assert [(*kind, seen.times) for kind, seen in lately.counts()] == [
        ("slow", "support", "ft-v2", 2),
        ("short", "support", "base", 1),
        ("slow", "support", "base", 1),
    ]
    assert {seen.last for _, seen in lately.counts()} == {NOON}


def test_alerts_are_forgotten_after_a_while() -> None:
    clock = Clock()
    lately = Lately(clock)
    lately.alert(alert())
    clock.now += STEP
    lately.alert(alert())
    clock.now += SECONDS - STEP - 0.1
    assert [seen.times for _, seen in lately.counts()] == [2]
    clock.now += 0.1
    assert [seen.times for _, seen in lately.counts()] == [1]
    clock.now += SECONDS
    assert lately.counts() == []


def test_a_storm_of_alerts_takes_no_more_room_than_its_kinds() -> None:
    clock = Clock()
    lately = Lately(clock)
    for _ in range(10_000):
        clock.now += 0.1
        lately.alert(alert())
    assert len(lately._steps) <= SECONDS / STEP + 1
    assert next(seen.times for _, seen in lately.counts()) >= SECONDS / 0.1 - 2 * STEP / 0.1
