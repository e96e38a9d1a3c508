"""The checker of histories finds what is wrong, and only that."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.recorded import Change, History, Served, violations


def history(requests: list[Served], changes: list[Change]) -> History:
    found = History()
    found.requests, found.changes = requests, changes
    return found


def wrong(request: Served, *changes: Change) -> list[str]:
    return violations(history([request], list(changes)))


TO_1 = Change(asked=10.0, acknowledged=11.0, state=1)
TO_2 = Change(asked=20.0, acknowledged=21.0, state=2)


def test_before_an_acknowledgement_either_state_may_be_served() -> None:
    for state in (0, 1):
        assert wrong(Served(10.5, 30.0, state), TO_1) == []
        assert wrong(Served(9.0, 10.1, state), TO_1) == []


def test_a_request_that_began_after_the_acknowledgement_may_show_no_older_state() -> None:
    assert wrong(Served(11.1, 12.0, 1), TO_1) == []
    (found,) = wrong(Served(11.1, 12.0, 0), TO_1)
    assert "too old: 1 was acknowledged before it began" in found
    (found,) = wrong(Served(21.5, 22.0, 1), TO_1, TO_2)
    assert "too old: 2" in found


def test_a_request_that_began_at_the_very_moment_is_given_the_benefit_of_the_doubt() -> None:
    assert wrong(Served(11.0, 12.0, 0), TO_1) == []


def test_a_long_request_may_end_on_the_state_it_began_with() -> None:
    assert wrong(Served(5.0, 100.0, 0), TO_1, TO_2) == []


def test_no_request_shows_a_state_from_its_future() -> None:
    (found,) = wrong(Served(8.0, 9.0, 1), TO_1)
    assert "too new" in found
    (found,) = wrong(Served(8.0, 9.0, 7), TO_1)
    assert "nobody asked for" in found


def test_a_change_that_was_never_acknowledged_may_be_served_or_not() -> None:
    lost = Change(asked=20.0, acknowledged=None, state=2)
    for state in (1, 2):
        assert wrong(Served(30.0, 31.0, state), TO_1, lost) == []
    assert wrong(Served(30.0, 31.0, 0), TO_1, lost)


def test_acknowledgements_may_come_in_any_order() -> None:
    late = Change(asked=10.0, acknowledged=50.0, state=1)
    assert wrong(Served(60.0, 61.0, 2), late, TO_2) == []
    assert wrong(Served(60.0, 61.0, 1), late, TO_2)


def test_it_counts_the_requests_that_a_change_overlapped() -> None:
    requests = [Served(1.0, 2.0, 0), Served(9.0, 10.5, 0), Served(10.9, 12.0, 1)]
    assert history([*requests, Served(12.0, 13.0, 1)], [TO_1]).during_changes() == 2


@given(
    st.lists(st.floats(0.01, 1.0), min_size=1, max_size=8),
    st.lists(st.tuples(st.floats(0.0, 10.0), st.floats(0.0, 3.0)), max_size=20),
    st.data(),
)
def test_what_one_slot_that_is_read_once_serves_is_never_wrong(
    pauses: list[float], spans: list[tuple[float, float]], data: st.DataObject
) -> None:
    """A slot that is written within each change, and read once within each request."""
    changes, moments, now = [], [], 0.0
    for state, pause in enumerate(pauses, 1):
        asked, written = now + pause, now + 2 * pause
        now += 3 * pause
        moments.append((written, state))
        changes.append(Change(asked=asked, acknowledged=now, state=state))
    requests = []
    for began, lasts in spans:
        read = began + lasts * data.draw(st.floats(0.0, 1.0))
        state = max((state for written, state in moments if written <= read), default=0)
        requests.append(Served(began, began + lasts, state))
    assert violations(history(requests, changes)) == []
