"""A sliding window holds what came lately, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from proxy.alerting.windows.figures.sliding import EXAMPLES, STEPS, Sliding
from proxy.alerting.windows.figures.sums import Total

SECONDS = 300.0
STEP = SECONDS / STEPS


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 9)), max_size=80), st.integers(0, 99)
)
def test_it_holds_what_a_list_of_all_would_give(
    arrivals: list[tuple[int, int]], later: int
) -> None:
    window = Sliding(SECONDS, Total)
    for at, value in sorted(arrivals):
        window.add([float(value)], float(at))
    now = max((at for at, _ in arrivals), default=0) + later
    found = window.sum(float(now))
    inside = [value for at, value in arrivals if at // STEP > now // STEP - STEPS]
    assert (found.n, found.total) == (len(inside), float(sum(inside)))
    surely = sum(1 for at, _ in arrivals if now - at < SECONDS - STEP)
    at_most = sum(1 for at, _ in arrivals if now - at < SECONDS)
    assert surely <= found.n <= at_most


def test_memory_is_bounded_however_much_comes() -> None:
    window = Sliding(SECONDS, Total)
    for number in range(10_000):
        window.add([1.0], number * 0.1, [(float(number), f"req-{number}")])
    assert len(window._steps) <= STEPS
    assert all(len(step.examples) <= EXAMPLES for step in window._steps)


def test_its_examples_are_the_most_telling_and_leave_with_their_time() -> None:
    window = Sliding(SECONDS, Total)
    for at, rank in enumerate([5.0, 1.0, 9.0, 7.0, 3.0]):
        window.add([1.0], float(at), [(rank, f"req-{rank:g}")])
    window.add([1.0], 4.0)
    assert window.examples() == ["req-9", "req-7", "req-5"]
    window.add([1.0], 290.0, [(2.0, "req-2")])
    assert window.examples() == ["req-9", "req-7", "req-5"]
    window.add([1.0], 310.0, [(4.0, "req-4")])
    assert window.examples() == ["req-4", "req-2"]
    assert window.sum(1000.0).n == 0
    assert window.examples() == []


def test_examples_of_one_moment_are_bounded_too() -> None:
    window = Sliding(SECONDS, Total)
    ranks = (4.0, 3.0, 2.0, 1.0, 5.0)
    window.add([1.0] * len(ranks), 0.0, [(rank, f"req-{rank:g}") for rank in ranks])
    assert window.examples() == ["req-5", "req-4", "req-3"]
