import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.controlplane.supervision.shares import Shares, shares


@pytest.mark.parametrize(
    ("sockets", "workers", "down", "expected"),
    [
        (3, 3, (), [(0,), (1,), (2,)]),
        (4, 2, (), [(0, 2), (1, 3)]),
        (1, 3, (), [(0,), (0,), (0,)]),
        (2, 3, (), [(0,), (1,), (0,)]),
        (3, 3, (1,), [(0, 1), (1,), (2,)]),
        (3, 3, (0, 1), [(0,), (1,), (0, 1, 2)]),
        (1, 2, (0,), [(0,), (0,)]),
        (2, 1, (0,), [(0, 1)]),
    ],
)
def test_examples(sockets: int, workers: int, down: tuple[int, ...], expected: Shares) -> None:
    assert shares(sockets, workers, down) == expected


@given(st.integers(1, 12), st.integers(1, 12), st.sets(st.integers(0, 11)))
def test_no_queue_is_without_a_worker_that_is_up_and_no_worker_without_a_queue(
    sockets: int, workers: int, down: set[int]
) -> None:
    found = shares(sockets, workers, down)
    assert len(found) == workers
    assert all(found)
    up = [number for number in range(workers) if number not in down]
    if up:
        assert {sock for number in up for sock in found[number]} == set(range(sockets))


@given(st.integers(1, 12), st.integers(1, 12), st.sets(st.integers(0, 11)))
def test_who_is_up_keeps_what_it_had(sockets: int, workers: int, down: set[int]) -> None:
    for before, after in zip(
        shares(sockets, workers), shares(sockets, workers, down), strict=True
    ):
        assert set(before) <= set(after)
