"""What is kept of values: it adds up, comes off again, and a quantile is within 1 %."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.alerting.windows.figures.sums import EXACT, HIGHEST, Sketch, Total

TIMES = st.floats(1.0, HIGHEST)


@given(st.lists(TIMES, min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_a_quantile_is_within_one_percent_of_the_sorted_list(
    values: list[float], share: float
) -> None:
    sketch = Sketch(values)
    true = sorted(values)[ceil(share * len(values)) - 1]
    assert sketch.quantile(share) == pytest.approx(true, rel=EXACT * 1.0001)


@given(st.lists(TIMES, max_size=50), st.lists(TIMES, min_size=1, max_size=50))
def test_what_was_added_comes_off_again(gone: list[float], stays: list[float]) -> None:
    both, taken, left = Sketch(), Sketch(gone), Sketch(stays)
    both.more(taken)
    both.more(left)
    both.less(taken)
    assert both.n == left.n
    assert [both.at(rank) for rank in range(1, left.n + 1)] == [
        left.at(rank) for rank in range(1, left.n + 1)
    ]


def test_a_total_that_is_empty_again_is_nothing_whatever_was_rounded() -> None:
    total = Total([0.1, 0.2, 0.3])
    total.less(Total([0.3, 0.2, 0.1]))
    assert (total.n, total.total) == (0, 0.0)


def test_a_total_keeps_what_is_left() -> None:
    total = Total([5.0])
    total.more(Total([1.0]))
    total.less(Total([5.0]))
    assert (total.n, total.total) == (1, 1.0)


def test_values_out_of_bounds_count_at_the_bounds() -> None:
    sketch = Sketch([0.0, -5.0, HIGHEST * 9])
    assert sketch.at(1) == sketch.at(2) == pytest.approx(1.0, rel=EXACT)
    assert sketch.at(3) == pytest.approx(HIGHEST, rel=EXACT)


def test_there_is_no_rank_beyond_what_there_is() -> None:
    sketch = Sketch([5.0])
    with pytest.raises(ValueError, match="1 values and no rank 2"):
        sketch.at(2)
