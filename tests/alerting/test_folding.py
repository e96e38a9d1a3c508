from hypothesis import given
from hypothesis import strategies as st

from proxy.alerting import Alert, AlertName, Folding
from tests.support.observed import observed


def alert(at: float = 0.0, name: AlertName = AlertName.SLOW, variant: str = "base") -> Alert:
    exchange = observed(variant_served=variant)
    return Alert(name=name, value=6000.0, threshold=5000.0, at=at, observation=exchange)


def test_the_first_alert_is_told_at_once() -> None:
    first = alert(at=100.0)
    told = Folding(60.0).add(first, now=0.0)
    assert told is not None
    assert (told.alert, told.count, told.first_at, told.last_at) == (first, 1, 100.0, 100.0)


def test_repeats_within_the_window_are_told_as_one_when_it_ends() -> None:
    folding = Folding(60.0)
    folding.add(alert(at=100.0), now=0.0)
    assert folding.add(alert(at=110.0), now=10.0) is None
    assert folding.add(alert(at=120.0), now=20.0) is None
    assert folding.due(59.9) == []
    (told,) = folding.due(60.0)
    assert (told.count, told.first_at, told.last_at) == (2, 110.0, 120.0)
    assert told.alert.at == 120.0


def test_a_window_without_repeats_closes_and_the_next_alert_is_told_at_once() -> None:
    folding = Folding(60.0)
    folding.add(alert(), now=0.0)
    assert folding.due(60.0) == []
    assert folding.next_due() is None
    assert folding.add(alert(), now=61.0) is not None


def test_an_alert_that_goes_on_is_told_once_a_window() -> None:
    folding = Folding(60.0)
    told = 0
    for second in range(601):
        told += len(folding.due(second))
        told += folding.add(alert(at=second), now=second) is not None
    assert told == 11


def test_kinds_do_not_fold_into_each_other() -> None:
    folding = Folding(60.0)
    assert folding.add(alert(), now=0.0) is not None
    assert folding.add(alert(name=AlertName.SHORT), now=0.0) is not None
    assert folding.add(alert(variant="ft-v2"), now=0.0) is not None


def test_next_due_is_the_earliest_end() -> None:
    folding = Folding(60.0)
    assert folding.next_due() is None
    folding.add(alert(), now=5.0)
    folding.add(alert(variant="ft-v2"), now=1.0)
    assert folding.next_due() == 61.0


def test_rest_tells_what_was_not_told_and_closes_all_windows() -> None:
    folding = Folding(60.0)
    folding.add(alert(), now=0.0)
    folding.add(alert(at=1.0), now=1.0)
    folding.add(alert(variant="ft-v2"), now=1.0)
    (told,) = folding.rest()
    assert told.count == 1
    assert folding.next_due() is None


@given(st.lists(st.tuples(st.floats(0, 1e4), st.sampled_from(["a", "b", "c"])), max_size=60))
def test_every_alert_is_told_exactly_once(arrivals: list[tuple[float, str]]) -> None:
    folding = Folding(60.0)
    told = 0
    for now, variant in sorted(arrivals):
        told += sum(folded.count for folded in folding.due(now))
        first = folding.add(alert(at=now, variant=variant), now)
        told += first.count if first else 0
    assert told + sum(folded.count for folded in folding.rest()) == len(arrivals)
