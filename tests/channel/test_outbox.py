from hypothesis import given
from hypothesis import strategies as st

from proxy.channel.outbox import BATCH, BATCH_TEXT, LOST, TEXT_CAPACITY, Outbox
from proxy.exchange import Bodies, Observation, Texts
from tests.support.observed import observed


class Drops:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def named(number: int) -> Observation:
    return observed(request_id=str(number))


def names(observations: tuple[Observation, ...]) -> list[str]:
    return [each.request_id for each in observations]


def test_a_batch_holds_the_oldest_observations_in_their_order() -> None:
    outbox = Outbox(Drops())
    for number in range(BATCH + 1):
        outbox.offer(named(number))
    assert names(outbox.batch()) == [str(number) for number in range(BATCH)]


def test_a_batch_is_the_same_until_it_is_taken_whatever_comes_in_between() -> None:
    outbox = Outbox(Drops())
    outbox.offer(named(0))
    first = outbox.batch()
    outbox.taken(0)
    assert names(outbox.batch()) == names(first)
    outbox.offer(named(1))
    outbox.taken(1)
    assert names(outbox.batch()) == ["1"]
    assert outbox.offset == 1


def test_a_full_outbox_drops_the_newest_and_counts_it() -> None:
    drops = Drops()
    outbox = Outbox(drops, capacity=2)
    for number in range(5):
        outbox.offer(named(number))
    assert drops.count == 3
    assert names(outbox.batch()) == ["0", "1"]


def test_filled_says_whether_something_waits() -> None:
    outbox = Outbox(Drops())
    assert not outbox.filled.is_set()
    outbox.offer(named(0))
    assert outbox.filled.is_set()
    outbox.taken(1)
    assert not outbox.filled.is_set()


def test_words_beyond_the_bound_are_left_behind_but_not_their_observation() -> None:
    drops = Drops()
    outbox = Outbox(drops)
    large = observed(texts=Texts(b"x" * (TEXT_CAPACITY // 2 + 1), ""))
    outbox.offer(large)
    outbox.offer(large)
    assert drops.count == 0
    assert len(outbox.batch()) == 1, "a batch is bounded in bytes, too"
    outbox.taken(1)
    assert outbox.batch()[0].texts is None
    outbox.taken(2)
    outbox.offer(large)
    assert outbox.batch()[0].texts is not None, "there is room again"


def test_bodies_are_left_behind_before_other_words_and_that_is_said() -> None:
    outbox = Outbox(Drops())
    bodies = Bodies(b"q" * (TEXT_CAPACITY // 4), b"r" * (TEXT_CAPACITY // 4))
    seen = observed(bodies=bodies, texts=Texts(b"x" * (TEXT_CAPACITY // 8)))
    for _ in range(3):
        outbox.offer(seen)
    assert len(outbox.batch()) == 1, "a batch is bounded in their bytes, too"
    outbox.taken(1)
    assert outbox.batch()[0] == observed(bodies=LOST, texts=seen.texts)
    outbox.taken(3)
    outbox.offer(seen)
    assert outbox.batch()[0] == seen, "there is room again"


def test_a_batch_takes_words_up_to_its_bound() -> None:
    outbox = Outbox(Drops())
    for _ in range(4):
        outbox.offer(observed(texts=Texts(b"", "y" * (BATCH_TEXT // 2))))
    assert len(outbox.batch()) == 2


@given(st.lists(st.one_of(st.just("offer"), st.integers(0, 5)), max_size=60))
def test_every_observation_is_waiting_taken_or_dropped(steps: list[str | int]) -> None:
    drops = Drops()
    outbox = Outbox(drops, capacity=7)
    offered = 0
    for step in steps:
        if step == "offer":
            outbox.offer(named(offered))
            offered += 1
        else:
            outbox.taken(outbox.offset + int(step))
        assert len(outbox) + outbox.offset + drops.count == offered
        assert len(outbox) <= 7
