"""What the signals are worth, on labelled cases in several languages: floors, so none gets worse.

`python -m tests.quality.scores` prints the figures that docs/quality.md states.
"""

import pytest

from proxy.quality import Signal
from tests.quality.scores import HELD_OUT, Case, cases, given, known, labels, scores, words

KNOWN = list(known())
UNSEEN = cases(HELD_OUT)
RECALL = {Signal.REFUSAL: 0.95, Signal.REPETITION: 0.97}  # all else is read off facts


@pytest.mark.parametrize("signal", Signal)
def test_what_the_rules_were_made_with_is_read_right(signal: Signal) -> None:
    score = scores(KNOWN)[signal]
    assert score.precision == 1
    assert score.recall >= RECALL.get(signal, 1)
    assert score.right >= 2


@pytest.mark.parametrize(("signal", "recall"), [(Signal.REFUSAL, 0.7), (Signal.REPETITION, 0.9)])
def test_what_the_rules_had_not_seen_is_read_nearly_as_well(signal: Signal, recall: float) -> None:
    score = scores(UNSEEN)[signal]
    assert score.precision >= 0.95
    assert score.recall >= recall


@pytest.mark.parametrize(
    "case", [case for case in KNOWN if "what" in case], ids=lambda c: c["what"]
)
def test_an_exchange_gives_the_signals_of_its_label_and_no_others(case: Case) -> None:
    assert given(case) == labels(case)


def test_the_cases_are_many_in_many_languages_and_none_is_there_twice() -> None:
    texts = ["".join(words(case)) for case in [*KNOWN, *UNSEEN] if "lang" in case]
    assert len(texts) >= 300
    assert len(set(texts)) == len(texts)
    assert len({case["lang"] for case in KNOWN if "lang" in case}) >= 12
