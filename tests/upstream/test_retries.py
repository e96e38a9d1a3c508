"""The retry budget and the back-off."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.upstream.retries import (
    FREE_RETRIES,
    LONGEST_DELAY,
    LONGEST_RETRY_AFTER,
    WINDOW_SECONDS,
    RetryBudget,
    backoff,
)


def test_a_few_retries_are_free_however_few_the_requests() -> None:
    budget = RetryBudget(0.2)
    budget.request(100.0)
    allowed = [budget.allow(100.0) for _ in range(FREE_RETRIES + 1)]
    assert allowed == [True] * FREE_RETRIES + [False]


def test_a_share_of_nothing_allows_none() -> None:
    budget = RetryBudget(0.0)
    budget.request(0.0)
    assert not budget.allow(0.0)


def test_in_a_storm_retries_stay_within_their_share_of_the_requests() -> None:
    budget = RetryBudget(0.2)
    retries = 0
    for number in range(1000):
        now = number / 1000
        budget.request(now)
        while budget.allow(now):
            retries += 1
            budget.request(now)  # it is sent, and fails too
    assert retries == 200


def test_what_left_the_window_no_longer_counts() -> None:
    budget = RetryBudget(0.2)
    for _ in range(100):
        budget.request(0.5)
    for _ in range(20):
        assert budget.allow(0.5)
        budget.request(0.5)
    assert not budget.allow(WINDOW_SECONDS - 0.5)
    assert budget.allow(WINDOW_SECONDS + 0.5)


@given(
    st.lists(st.tuples(st.floats(0.0, 4.0), st.booleans()), max_size=120),
    st.sampled_from([0.0, 0.1, 0.2, 1.0]),
)
def test_it_counts_as_one_who_remembers_every_request(
    steps: list[tuple[float, bool]], share: float
) -> None:
    budget = RetryBudget(share)
    requests: deque[int] = deque()
    retries: deque[int] = deque()
    now = 0.0
    for pause, failed in steps:
        now += pause
        for past in (requests, retries):
            while past and past[0] <= int(now) - WINDOW_SECONDS:
                past.popleft()
        budget.request(now)
        requests.append(int(now))
        if failed:
            free = FREE_RETRIES if share else 0
            room = max(free, share * (len(requests) - len(retries)))
            allowed = budget.allow(now)
            assert allowed == (len(retries) + 1 <= room)
            if allowed:
                retries.append(int(now))
                budget.request(now)
                requests.append(int(now))


@pytest.mark.parametrize(("attempt", "least", "most"), [(1, 0.025, 0.05), (3, 0.1, 0.2)])
def test_the_back_off_doubles_and_its_upper_half_is_dice(
    attempt: int, least: float, most: float
) -> None:
    assert backoff(attempt, lambda: 0.0, None) == pytest.approx(least)
    assert backoff(attempt, lambda: 1.0, None) == pytest.approx(most)


def test_the_back_off_is_bounded() -> None:
    assert backoff(50, lambda: 1.0, None) == LONGEST_DELAY


def test_retry_after_is_waited_for_with_jitter_on_top() -> None:
    delay = backoff(1, lambda: 0.5, 2.0)
    assert delay is not None
    assert 2.0 < delay < 2.1


def test_a_retry_after_that_nobody_would_wait_for_ends_the_trying() -> None:
    assert backoff(1, lambda: 0.0, LONGEST_RETRY_AFTER) is not None
    assert backoff(1, lambda: 0.0, LONGEST_RETRY_AFTER + 0.1) is None
