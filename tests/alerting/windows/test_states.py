"""How an alert begins, goes on and ends: never early, never on few requests, never for ever."""

from hypothesis import given
from hypothesis import strategies as st

from proxy.alerting.windows.rules import Rule, WindowAlert
from proxy.alerting.windows.states import Key, Now, Phase, Standing, step
from proxy.alerting.windows.watches import NOTHING, Reading

KEY = Key(WindowAlert.ERROR_RATE, "support", "base")
RULE = Rule(name=WindowAlert.ERROR_RATE, threshold=5.0, for_seconds=60.0)
AT_ONCE = Rule(name=WindowAlert.ERROR_RATE, threshold=5.0, for_seconds=0.0)
EPOCH = 1_795_000_000.0
BAD = Reading(value=20.0, count=50, over=True, still=True)
FEW = Reading(value=20.0, count=3, over=False, still=True)
WELL = Reading(value=1.0, count=50)


def told(*readings: tuple[float, Reading], rule: Rule = RULE) -> list[Standing | None]:
    """Return how an alert stands after each reading, by its time."""
    standing: Standing | None = None
    story = []
    for now, reading in readings:
        if standing is not None and standing.phase is Phase.RESOLVED:
            standing = None
        standing = step(standing, KEY, rule, reading, Now(now, EPOCH + now))
        story.append(standing)
    return story


def phases(*readings: tuple[float, Reading], rule: Rule = RULE) -> list[str | None]:
    return [None if each is None else each.phase.value for each in told(*readings, rule=rule)]


def test_it_is_pending_first_fires_after_a_while_and_is_resolved_after_one() -> None:
    story = told((0, WELL), (10, BAD), (69, BAD), (70, BAD), (100, WELL), (159, WELL), (160, WELL))
    assert [each and each.phase.value for each in story] == [
        *(None, "pending", "pending", "firing", "firing", "firing", "resolved")
    ]
    firing, resolved = story[3], story[-1]
    assert firing is not None
    assert resolved is not None
    assert (firing.began_at, firing.fired_at, firing.seen_at) == (
        *(EPOCH + 10, EPOCH + 70, EPOCH + 70),
    )
    assert (firing.value, firing.count, firing.firing) == (20.0, 50, True)
    assert (resolved.ended_at, resolved.value, resolved.firing) == (EPOCH + 160, 1.0, False)
    assert resolved.seen_at == EPOCH + 70


def test_what_is_well_before_it_fires_is_forgotten() -> None:
    assert phases((0, BAD), (59, WELL), (60, BAD), (119, BAD), (120, BAD)) == [
        *("pending", None, "pending", "pending", "firing")
    ]


def test_what_swings_about_its_threshold_is_one_alert() -> None:
    swinging = [(60.0 + 30 * turn, WELL if turn % 2 else BAD) for turn in range(20)]
    assert set(phases((0, BAD), *swinging)[1:]) == {"firing"}


def test_few_requests_neither_begin_it_nor_end_it() -> None:
    assert phases((0, FEW), (500, FEW)) == [None, None]
    assert phases((0, BAD), (60, BAD), (70, FEW), (500, FEW)) == [
        *("pending", "firing", "firing", "firing")
    ]
    assert phases((0, BAD), (30, FEW), (60, BAD)) == ["pending", None, "pending"]


def test_what_nothing_is_known_of_any_more_ends() -> None:
    story = told((0, BAD), (60, BAD), (70, NOTHING), (130, NOTHING))
    assert [each and each.phase.value for each in story[2:]] == ["firing", "resolved"]
    assert story[-1] is not None
    assert story[-1].value is None


def test_without_a_while_it_fires_and_ends_at_once() -> None:
    assert phases((0, BAD), (1, WELL), rule=AT_ONCE) == ["firing", "resolved"]


def test_it_ends_no_earlier_than_it_began_though_the_clock_was_set_back() -> None:
    (fires,) = told((0, BAD), rule=AT_ONCE)
    ended = step(fires, KEY, AT_ONCE, WELL, Now(1, EPOCH - 7200))
    assert fires is not None
    assert ended is not None
    assert ended.ended_at == fires.began_at


def test_it_keeps_its_examples_where_there_are_none_any_more() -> None:
    (standing,) = told((0, BAD))
    assert standing is not None
    assert standing.with_examples(["a", "b"]).with_examples([]).request_ids == ("a", "b")


@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.sampled_from([BAD, FEW, WELL, NOTHING])), max_size=60
    ),
    st.integers(0, 90),
)
def test_it_never_fires_before_its_while_nor_ends_before_it(
    story: list[tuple[int, Reading]], seconds: int
) -> None:
    rule = Rule(name=WindowAlert.ERROR_RATE, threshold=5.0, for_seconds=float(seconds))
    now, timed = 0, []
    for pause, reading in story:
        now += pause
        timed.append((float(now), reading))
    found = phases(*timed, rule=rule)
    for place, phase in enumerate(found):
        before = found[place - 1] if place else None
        if phase == "firing" and before != "firing":
            assert held(timed[: place + 1], lambda each: each.over) >= seconds
        if phase == "resolved":
            assert before == "firing"
            assert held(timed[: place + 1], lambda each: not each.still) >= seconds
        if before == "firing":
            assert phase in ("firing", "resolved"), "what fires does not go without a word"


def held(timed: list[tuple[float, Reading]], so: object) -> float:
    """Return for how long the last readings were all so; -1: the last is not."""
    assert callable(so)
    last = timed[-1][0]
    since = None
    for at, reading in reversed(timed):
        if not so(reading):
            break
        since = at
    return -1.0 if since is None else last - since
