from hypothesis import given
from hypothesis import strategies as st

from proxy.alerting import Notice, State
from proxy.notifiers.delivery import Pending
from tests.support.noticed import NOW, on, slow, window

FIRING, RESOLVED = State.FIRING, State.RESOLVED


def taken(pending: Pending, now: float = NOW) -> Notice:
    notice = pending.take(now)
    assert notice is not None
    return notice


def told(pending: Pending, notice: Notice) -> None:
    pending.add(notice)
    pending.sent(taken(pending))


def test_what_waits_is_sent_in_the_order_in_which_it_came() -> None:
    pending = Pending(10)
    notices = [on(route) for route in ("a", "b", "c")]
    for notice in notices:
        pending.add(notice)
    assert [taken(pending) for _ in notices] == notices
    assert pending.take(NOW) is None


def test_the_newest_word_of_a_thing_takes_the_place_of_the_one_that_waits() -> None:
    pending = Pending(10)
    pending.add(on("a"))
    pending.add(on("b"))
    pending.add(on("a", value=9.0))
    assert [taken(pending).value, taken(pending).route] == [9.0, "b"]
    assert pending.counts["superseded"] == 1


def test_single_exchanges_that_wait_are_added_up() -> None:
    pending = Pending(10)
    for number in range(3):
        pending.add(slow(number=number))
    notice = taken(pending)
    assert (notice.count, notice.request_ids) == (3, ("req-0", "req-1", "req-2"))


def test_what_was_told_is_told_to_be_over() -> None:
    pending = Pending(10)
    told(pending, window())
    assert list(pending.firing) == [window().key]
    told(pending, window(RESOLVED))
    assert pending.firing == {}
    assert pending.counts["sent"] == 2


def test_what_was_told_before_this_process_began_is_told_to_be_over() -> None:
    pending = Pending(10)
    pending.heard(window())
    pending.add(window(RESOLVED))
    told_last = taken(pending)
    pending.sent(told_last)
    assert (told_last.state, pending.firing) == (RESOLVED, {})


def test_what_fired_and_was_over_before_it_could_be_told_is_not_told() -> None:
    pending = Pending(10)
    pending.add(window())
    pending.add(window(RESOLVED))
    assert len(pending) == 0
    assert pending.counts["superseded"] == 1


def test_the_end_of_what_nobody_heard_of_is_not_told() -> None:
    pending = Pending(10)
    pending.add(window(RESOLVED))
    assert len(pending) == 0


def test_what_is_not_taken_waits_again_behind_the_others() -> None:
    pending = Pending(10)
    pending.add(on("a"))
    pending.add(on("b"))
    pending.back(taken(pending), unsure=False)
    assert [taken(pending).route, taken(pending).route] == ["b", "a"]


def test_what_was_over_while_it_was_under_way_and_not_taken_is_not_told() -> None:
    pending = Pending(10)
    pending.add(window())
    notice = taken(pending)
    pending.add(window(RESOLVED))
    assert len(pending) == 1, "it may yet be taken"
    pending.back(notice, unsure=False)
    assert len(pending) == 0


def test_what_may_have_been_taken_is_told_to_be_over() -> None:
    pending = Pending(10)
    pending.add(window())
    notice = taken(pending)
    pending.add(window(RESOLVED))
    pending.back(notice, unsure=True)
    assert taken(pending).state is RESOLVED


def test_what_was_over_while_it_was_under_way_and_taken_is_told_to_be_over() -> None:
    pending = Pending(10)
    pending.add(window())
    notice = taken(pending)
    pending.add(window(RESOLVED))
    pending.sent(notice)
    assert taken(pending).state is RESOLVED


def test_the_end_of_what_was_refused_is_not_told() -> None:
    pending = Pending(10)
    pending.add(window())
    notice = taken(pending)
    pending.add(window(RESOLVED))
    pending.refused(notice)
    assert len(pending) == 0
    assert pending.counts["failed"] == 1


def test_an_end_that_is_refused_is_not_tried_for_ever() -> None:
    pending = Pending(10)
    told(pending, window())
    pending.add(window(RESOLVED))
    pending.refused(taken(pending))
    assert pending.firing == {}


def test_single_exchanges_that_came_while_one_was_not_taken_are_added_to_it() -> None:
    pending = Pending(10)
    pending.add(slow(number=1))
    first = taken(pending)
    pending.add(slow(number=2))
    pending.back(first, unsure=True)
    assert taken(pending).count == 2
    assert pending.firing == {}, "they have no end"


def test_what_no_longer_matters_is_not_sent() -> None:
    pending = Pending(10)
    pending.add(slow())
    pending.add(window())
    assert taken(pending, NOW + 300.0).name == "error_rate"
    assert pending.counts["failed"] == 1


def test_what_passes_makes_room_for_what_lasts() -> None:
    pending = Pending(2)
    pending.add(on("a"))
    pending.add(slow())
    pending.add(on("b"))
    pending.add(on("c"))
    assert [taken(pending).route, taken(pending).route] == ["a", "b"]
    assert pending.counts["dropped"] == 2


def test_what_is_forgotten_is_counted_and_what_was_under_way_is_nobodys() -> None:
    pending = Pending(10)
    told(pending, on("a"))
    pending.add(on("b"))
    under_way = taken(pending)
    pending.add(on("c"))
    pending.forget()
    pending.sent(under_way)
    pending.refused(under_way)
    pending.back(under_way, unsure=True)
    assert (len(pending), pending.firing, pending.counts["dropped"]) == (0, {}, 2)
    assert pending.counts["sent"] == 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["fires", "is over", "taken", "not taken", "unsure", "refused"]),
        st.sampled_from("abc"),
    ),
    max_size=60,
)


@given(STEPS)
def test_once_it_works_again_it_knows_what_fires_and_nothing_else(
    steps: list[tuple[str, str]],
) -> None:
    """Whatever happened meanwhile; but what was refused for good it may not know of."""
    pending = Pending(10)
    fires: set[str] = set()
    believed: set[str] = set()  # at the receiver
    excused: set[str] = set()
    for step, route in steps:
        if step in ("fires", "is over"):
            (fires.add if step == "fires" else fires.discard)(route)
            excused -= {route} if step == "fires" else set()
            pending.add(on(route, FIRING if step == "fires" else RESOLVED))
            continue
        notice = pending.take(NOW)
        if notice is None or notice.route is None:
            continue
        if notice.state is FIRING and step in ("taken", "unsure"):
            believed.add(notice.route)
        elif step == "taken":
            believed.discard(notice.route)
        if step == "taken":
            pending.sent(notice)
        elif step == "refused":
            excused.add(notice.route)
            pending.refused(notice)
        else:
            pending.back(notice, unsure=step == "unsure")
    while (notice := pending.take(NOW)) is not None:
        assert notice.route is not None
        told_before = notice.route in believed
        assert notice.state is FIRING or told_before or notice.route in excused
        (believed.add if notice.state is FIRING else believed.discard)(notice.route)
        pending.sent(notice)
    assert fires - excused == believed - excused
    assert len(pending) == 0
