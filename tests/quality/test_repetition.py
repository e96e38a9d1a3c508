"""A loop is one passage many times over; what repeats by nature is none. More in the cases."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.quality.repetition import MOST, loops

PROSE = "".join(f"Point {n} is about matter {n * n}, and nothing else is. " for n in range(400))


@given(
    start=st.text(max_size=60),
    unit=st.text(st.characters(categories=["Ll", "Lo"]), min_size=1, max_size=40),
    times=st.integers(200, 300),
)
def test_whatever_passage_follows_itself_two_hundred_times_is_a_loop(
    start: str, unit: str, times: int
) -> None:
    assert loops(start + unit * times)


def test_a_loop_at_the_end_of_a_long_reply_is_seen() -> None:
    assert not loops(PROSE)
    assert loops(PROSE + "And that is all. " * 200)


def test_a_loop_that_is_a_small_part_of_a_reply_is_none() -> None:
    assert not loops(PROSE[:8000] + "And that is all. " * 12 + PROSE[8000:16000])


def test_the_items_of_a_list_that_say_the_same_are_a_loop_whatever_their_numbers() -> None:
    assert loops("".join(f"{n}. Check the cable.\n" for n in range(1, 30)))


def test_one_sentence_between_others_is_a_loop_where_it_is_most_of_the_text() -> None:
    said = "The parcel is on its way to you today. "
    assert loops("".join(f"{said}Word {n * n}. " for n in range(12)))
    stop = "And stop {n}, where others wait for theirs, is the town called {n}. "
    assert not loops("".join(said + stop.format(n=n * n) for n in range(12)))


@pytest.mark.parametrize("form", ["{", "[", "<", "|", "```"])
def test_rows_of_data_that_hold_one_sentence_are_no_loop(form: str) -> None:
    rows = (f"The parcel is on its way to you today.\n{n * n}\n" for n in range(12))
    assert not loops(form + "".join(rows))


def test_empty_cells_and_lines_are_a_loop_only_where_there_are_very_many() -> None:
    assert not loops("<td></td>" * 40)
    assert loops("<td></td>" * 60)
    assert not loops("-" * 200 + " A title. " + "-" * 200)
    assert loops("\n" * 800)


def test_half_of_a_surrogate_pair_is_a_character_like_others() -> None:
    assert loops("\ud83d and so on " * 40)


@pytest.mark.parametrize(
    "text", ["a" * MOST, "ab" * MOST, "\n2. x" * MOST, ("x" * 2000 + "y") * 32, PROSE * 9]
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    loops(text)
    assert time.process_time() - began < 0.5  # some milliseconds: a machine may be slow
