"""Precision and recall of each signal on the labelled cases of this folder.

`python -m tests.quality.scores` prints the table. A case says which signals it `is`; its words
stand in `text`, or are made of a passage that comes many times; its exchange is an ordinary
one but for its `facts`. The cases of `held_out.jsonl` were written after the rules, which no case
of them changed.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from proxy import quality
from proxy.exchange.outcome import Outcome
from proxy.quality import Signal
from tests.support.observed import observed

FOLDER = Path(__file__).parent / "labelled"
HELD_OUT = "held_out"
SHORT = 10  # characters: what the alert asks for by default
Case = dict[str, Any]


class Score(NamedTuple):
    """How often a signal was right to come, wrong to come, and wrong to stay away."""

    right: int
    false: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.false) if self.right + self.false else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


def cases(name: str) -> list[Case]:
    """Return the cases of one file."""
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def known() -> Iterator[Case]:
    """Return the cases that the rules were made with."""
    return chain.from_iterable(map(cases, ("exchanges", "refusals", "loops")))


def words(case: Case) -> list[str]:
    """Return the replies of a case."""
    if "text" in case:
        return [case["text"]]
    if "start" not in case:
        return list(case.get("replies", ()))
    passages = case.get("cycle") or [case.get("unit", "")]
    body = "".join(passages) * case["times"]
    if "varied" in case:
        lines = case["lines"]
        body = "".join(
            f"{case['varied'].format(n=n)}{lines[n % len(lines)]}\n"
            for n in range(1, case["times"] + 1)
        )
    return [case["start"] + body + case.get("end", "")]


def given(case: Case) -> set[str]:
    """Return the signals that a case gives."""
    replies = words(case)
    facts = {
        "reply_chars": min(map(len, replies), default=0),
        "finish_reason": "stop",
        **case.get("facts", {}),
    }
    seen = observed(**{**facts, "outcome": Outcome(facts.get("outcome", "completed"))})
    return set(quality.read(seen, replies, short_chars=SHORT))


def scores(labelled: Iterable[Case]) -> dict[Signal, Score]:
    """Return each signal's score."""
    right, false, missed = Counter[str](), Counter[str](), Counter[str]()
    for case in labelled:
        is_, got = labels(case), given(case)
        right.update(is_ & got)
        false.update(got - is_)
        missed.update(is_ - got)
    return {each: Score(right[each], false[each], missed[each]) for each in Signal}


def labels(case: Case) -> set[str]:
    """Return the signals that a case is to give; a text below the threshold is short too."""
    short = {"short"} if 0 < len(case.get("text", "")) < SHORT else set()
    return set(case["is"]) | short


def table(title: str, labelled: list[Case]) -> str:
    """Return the scores as a person reads them."""
    lines = [f"{title}: {len(labelled)} cases", ""]
    lines.append(f"{'signal':12} {'is':>4} {'precision':>10} {'recall':>7}")
    for signal, score in scores(labelled).items():
        are = score.right + score.missed
        if are or score.false:
            lines.append(f"{signal:12} {are:4} {score.precision:10.1%} {score.recall:7.1%}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table("known", list(known())), end="\n\n")  # noqa: T201  # a program's output
    print(table("held out", cases(HELD_OUT)))  # noqa: T201  # same
