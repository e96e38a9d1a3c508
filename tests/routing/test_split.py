import statistics
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.routing.split import BUCKETS, Split, bucket

WEIGHT = st.floats(min_value=0, allow_nan=False, allow_infinity=False)
WEIGHTS = st.lists(WEIGHT, min_size=1, max_size=8).filter(lambda weights: sum(weights) > 0)
PERCENT = st.integers(min_value=0, max_value=100)
NUMBERS = st.one_of(
    st.integers(min_value=0, max_value=BUCKETS - 1), st.sampled_from((0, 1, BUCKETS - 1))
)


def members(split: Split, variant: int) -> range:
    """Return the buckets of `variant`."""
    for part in split.segments:
        if part.variant == variant:
            return range(part.start, part.end)
    return range(0)


def within(inner: range, outer: range) -> bool:
    return len(inner) == 0 or (inner.start >= outer.start and inner.stop <= outer.stop)


@given(WEIGHTS)
def test_the_segments_cover_every_number_once_whatever_the_weights(weights: list[float]) -> None:
    segments = Split(weights).segments

    assert segments[0].start == 0
    assert segments[-1].end == BUCKETS
    for left, right in pairwise(segments):
        assert left.end == right.start


@given(WEIGHTS, NUMBERS)
def test_a_number_belongs_to_the_variant_whose_segment_holds_it(
    weights: list[float], number: int
) -> None:
    split = Split(weights)

    assert number in members(split, split.variant(number))


@given(WEIGHTS)
def test_every_share_is_the_weights_share_to_one_number(weights: list[float]) -> None:
    split = Split(weights)
    scale = max(weights)
    total = sum(weight / scale for weight in weights)

    for variant, weight in enumerate(weights):
        expected = weight / scale / total
        assert len(members(split, variant)) / BUCKETS == pytest.approx(expected, abs=1e-14)


@given(WEIGHTS)
def test_a_weight_of_nothing_gets_nobody(weights: list[float]) -> None:
    split = Split([*weights, 0.0])

    assert len(members(split, len(weights))) == 0
    assert all(weights[part.variant] > 0 for part in split.segments)


@given(st.integers(min_value=1, max_value=7), WEIGHT.filter(bool))
def test_a_candidate_with_all_the_weight_gets_everybody(candidate: int, weight: float) -> None:
    split = Split([weight if each == candidate else 0.0 for each in range(8)])

    assert split.segments == ((candidate, 0, BUCKETS),)


@given(WEIGHTS, WEIGHT, st.data())
def test_raising_a_variant_never_moves_anybody_out_of_it(
    weights: list[float], more: float, data: st.DataObject
) -> None:
    raised = data.draw(st.integers(min_value=0, max_value=len(weights) - 1))
    after = list(weights)
    after[raised] = max(more, weights[raised])

    assert within(members(Split(weights), raised), members(Split(after), raised))


@given(
    st.lists(PERCENT, min_size=1, max_size=6).filter(lambda shares: sum(shares) <= 100),
    st.data(),
)
def test_raising_at_the_baselines_expense_never_moves_anybody_out_of_the_candidate(
    candidates: list[int], data: st.DataObject
) -> None:
    baseline = 100 - sum(candidates)
    raised = data.draw(st.integers(min_value=0, max_value=len(candidates) - 1))
    step = data.draw(st.integers(min_value=0, max_value=baseline))
    after = [share + step if each == raised else share for each, share in enumerate(candidates)]

    before_split = Split([baseline, *candidates])
    after_split = Split([baseline - step, *after])

    assert within(members(before_split, raised + 1), members(after_split, raised + 1))


@given(PERCENT, PERCENT, PERCENT, NUMBERS)
def test_with_two_candidates_a_raise_moves_units_only_from_the_baseline_into_it(
    first: int, second: int, step: int, number: int
) -> None:
    second = min(second, 100 - first)
    step = min(step, 100 - first - second)
    before = Split([100 - first - second, first, second]).variant(number)

    raised_first = Split([100 - first - second - step, first + step, second]).variant(number)
    raised_second = Split([100 - first - second - step, first, second + step]).variant(number)

    assert raised_first == before or (before, raised_first) == (0, 1)
    assert raised_second == before or (before, raised_second) == (0, 2)


@given(st.lists(PERCENT, min_size=2, max_size=10), st.text())
def test_a_ramp_is_nested_whoever_was_in_stays_in(steps: list[int], user: str) -> None:
    number = bucket("support", user)

    inside = [Split([100 - step, step]).variant(number) == 1 for step in sorted(steps)]

    assert inside == sorted(inside)


@given(WEIGHTS)
def test_a_last_candidate_without_weight_comes_and_goes_and_nobody_moves(
    weights: list[float],
) -> None:
    assert Split([*weights, 0]).segments == Split(weights).segments


def test_those_behind_a_candidate_that_is_removed_are_dealt_out_anew() -> None:
    drained, removed = Split([95, 0, 5]), Split([95, 5])

    assert members(drained, 2).start > members(removed, 1).stop


def test_with_three_candidates_raising_the_first_shifts_the_one_stacked_on_it() -> None:
    before = Split([60, 10, 10, 20])
    after = Split([50, 20, 10, 20])

    assert [part.variant for part in before.segments] == [1, 3, 0, 2]
    assert len(members(after, 3)) == pytest.approx(len(members(before, 3)), abs=1)
    assert members(after, 3).start > members(before, 3).start
    assert members(after, 2) == members(before, 2)


@given(st.text(), st.text())
def test_a_unit_has_the_same_number_every_time(salt: str, unit: str) -> None:
    assert bucket(salt, unit) == bucket(salt, unit)
    assert 0 <= bucket(salt, unit) < BUCKETS


def test_a_units_number_never_changes_between_releases() -> None:
    assert bucket("support", "alice") == 5061829490461357
    assert bucket("support", "") == 689496428014595


def test_salt_and_unit_join_so_that_no_two_pairs_are_alike() -> None:
    pairs = (("ab", "c"), ("a", "bc"), ("", "abc"), ("abc", ""), ("1:a", "b"), ("1", ":ab"))

    assert len({bucket(*pair) for pair in pairs}) == len(pairs)


def test_a_unit_may_hold_any_text_lone_surrogates_too() -> None:
    assert bucket("support", "\ud800") != bucket("support", "\ud801")


def test_two_salts_split_the_same_units_independently() -> None:
    units = [f"user-{number}" for number in range(4000)]
    first = [float(bucket("a", unit)) for unit in units]
    second = [float(bucket("b", unit)) for unit in units]

    assert abs(statistics.correlation(first, second)) < 0.06


@pytest.mark.parametrize("weights", [[90, 10], [1, 1, 1], [0, 3, 7], [0.5, 99.5]])
def test_the_shares_of_many_units_are_the_weights(weights: list[float]) -> None:
    split = Split(weights)
    count = 20_000
    seen = [0] * len(weights)
    for number in range(count):
        seen[split.variant(bucket("support", f"user-{number}"))] += 1

    for variant, weight in enumerate(weights):
        share = weight / sum(weights)
        sigma = (share * (1 - share) / count) ** 0.5
        assert abs(seen[variant] / count - share) <= 4 * sigma


@pytest.mark.parametrize("weights", [[], [0, 0], [-1, 2], [2, -1]])
def test_weights_that_give_nobody_a_share_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Split(weights)
