"""A recorded history of requests and changes, and the checker that reads it.

    history = History()
    history.served(Served(began=0.1, ended=0.2, state=3))
    history.acknowledged(Change(asked=0.0, acknowledged=0.15, state=3))
    assert violations(history) == []

States are numbered in the order in which they were asked for, one change after the other. Times
are seconds on one clock: of a request from before its first byte left to after the last came, of a
change from before it was asked for to after it was answered. So what is said here of a moment is
true whatever happened within: a request that began after an acknowledgement began after it. It
knows no turnout.
"""

from bisect import bisect_left
from typing import NamedTuple


class Served(NamedTuple):
    """A request, and the state that its reply shows."""

    began: float
    ended: float
    state: int


class Change(NamedTuple):
    """A change to a state, in force everywhere once it was acknowledged; None: it never was."""

    asked: float
    acknowledged: float | None
    state: int


class History:
    """What was seen, in any order."""

    def __init__(self) -> None:
        self.requests: list[Served] = []
        self.changes: list[Change] = []

    def during_changes(self) -> int:
        """Return how many requests overlapped a change: the history is worth checking by them."""
        return sum(
            any(
                each.began < (change.acknowledged or each.ended) and change.asked < each.ended
                for change in self.changes
            )
            for each in self.requests
        )


def violations(history: History) -> list[str]:
    """Return every request that was served what it can't have been, in words.

    Too old: another state had been acknowledged before it began. Too new: its state was only
    asked for after it had ended. Before all changes the state is 0.
    """
    done = [change for change in history.changes if change.acknowledged is not None]
    done.sort(key=lambda change: change.acknowledged or 0.0)
    moments = [change.acknowledged or 0.0 for change in done]
    newest = [max(change.state for change in done[: n + 1]) for n in range(len(done))]
    asked = {change.state: change.asked for change in history.changes} | {0: float("-inf")}
    found = []
    for request in sorted(history.requests):
        before = bisect_left(moments, request.began)
        least = newest[before - 1] if before else 0
        if request.state < least:
            found.append(f"{request} is too old: {least} was acknowledged before it began")
        if request.state not in asked:
            found.append(f"{request} shows what nobody asked for")
        elif asked[request.state] > request.ended:
            found.append(f"{request} is too new: it was asked for afterwards")
    return found
