"""The rule of rollback as a specification: histories are told as dialogues.

A history is a list of steps; `A` publishes a routing in which the route 'r' says A, `r=A s=X` says
both, `back` rolls the table back, `back r` a route, `back to 2` to a version by its number.
"""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import ChangeError
from proxy.rollout import Source, Version, canonical, changes, contents_of, digest
from proxy.rollout.contents import Contents
from proxy.rollout.history import rollback_target


class History:
    """Versions as a publisher would append them; `said` is what is in force, briefly."""

    def __init__(self, *steps: str) -> None:
        self.versions: list[Version] = []  # newest first
        for step in steps:
            self.go(step)

    @property
    def said(self) -> str:
        routes = contents_of(self.versions[0])["routes"]
        return " ".join(f"{name}={route['variants']['v']}" for name, route in routes.items())

    def go(self, step: str) -> None:
        words = step.split()
        if words[0] == "back":
            self.back(words[1] if words[1:] and words[1] != "to" else None, words)
        else:
            pairs = (word.split("=") if "=" in word else ("r", word) for word in words)
            self.append({"routes": {name: {"variants": {"v": value}} for name, value in pairs}})

    def back(self, route: str | None, words: list[str]) -> None:
        by_number = {version.number: version for version in self.versions}
        named = by_number[int(words[-1])] if "to" in words else None
        target = named or rollback_target(self.versions, route)
        now = contents_of(self.versions[0])
        self.append(changes.restore(now, contents_of(target), route), target, route)

    def append(
        self, contents: Contents, target: Version | None = None, route: str | None = None
    ) -> None:
        parent = self.versions[0].number if self.versions else None
        version = Version(
            number=(parent or 0) + 1,
            parent=parent,
            digest=digest(contents),
            contents=canonical(contents),
            source=Source.ROLLBACK if target else Source.CLI,
            who="someone",
            why="",
            at=0.0,
            restored=target.number if target else None,
            undone=parent if target else None,
            route=route,
        )
        self.versions.insert(0, version)


def after(*steps: str) -> str:
    return History(*steps).said


def test_a_rollback_goes_to_the_version_before() -> None:
    assert after("A", "B", "back") == "r=A"


def test_rollbacks_in_a_row_walk_further_back() -> None:
    assert after("A", "B", "C", "back") == "r=B"
    assert after("A", "B", "C", "back", "back") == "r=A"


def test_rollbacks_end_at_the_oldest_and_never_swing_to_and_fro() -> None:
    for steps in (["A"], ["A", "B", "back"], ["A", "B", "C", "back", "back"]):
        with pytest.raises(ChangeError, match="no earlier state of the routing"):
            after(*steps, "back")


def test_what_says_the_same_counts_as_one() -> None:
    assert after("A", "A", "B", "B", "back") == "r=A"


def test_a_state_that_came_twice_is_gone_through_twice() -> None:
    steps = ["A", "B", "A", "C"]
    assert [after(*steps, *["back"] * times) for times in (1, 2, 3)] == ["r=A", "r=B", "r=A"]


def test_a_change_after_a_rollback_is_undone_by_the_next() -> None:
    assert after("A", "B", "C", "back", "D", "back") == "r=B"
    assert after("A", "B", "C", "back", "D", "back", "back") == "r=A"


def test_what_was_rolled_back_from_is_not_come_back_to_after_a_change() -> None:
    assert after("A", "B", "back", "C", "back") == "r=A"
    with pytest.raises(ChangeError):
        after("A", "B", "back", "C", "back", "back")


def test_what_was_left_and_then_published_again_is_gone_back_to() -> None:
    assert after("A", "B", "back", "B", "C", "back") == "r=B"


def test_a_version_may_be_named_and_what_it_passes_over_is_left_with_the_rest() -> None:
    assert after("A", "B", "C", "back to 1") == "r=A"
    with pytest.raises(ChangeError):
        after("A", "B", "C", "back to 1", "back")


def test_a_version_that_was_left_may_be_named() -> None:
    forward = ["A", "B", "C", "back", "back to 3"]
    assert after(*forward) == "r=C"
    assert after(*forward, "back") == "r=B"
    assert after(*forward, "D", "back") == "r=C"


def test_a_route_is_taken_back_alone() -> None:
    assert after("r=A s=X", "r=B s=X", "r=B s=Y", "back r") == "r=A s=Y"
    assert after("r=A s=X", "r=B s=X", "r=B s=Y", "back s") == "r=B s=X"


def test_rollbacks_of_one_route_leave_nothing_of_another() -> None:
    steps = ["r=A s=X", "r=B s=X", "r=B s=Y", "r=B s=Z", "back r"]
    assert after(*steps) == "r=A s=Z"
    assert after(*steps, "back s") == "r=A s=Y"
    assert after(*steps, "back s", "back s") == "r=A s=X"


def test_rollbacks_of_a_route_in_a_row_walk_back_past_changes_of_others() -> None:
    steps = ["r=A s=X", "r=B s=X", "r=B s=Y", "r=C s=Y", "back r", "r=B s=Z"]
    assert after(*steps, "back r") == "r=A s=Z"


def test_a_rollback_of_the_table_counts_for_each_of_its_routes() -> None:
    with pytest.raises(ChangeError):
        after("r=A s=X", "r=B s=Y", "back", "back r")
    assert after("r=A s=X", "r=B s=X", "r=B s=Y", "back", "back r") == "r=A s=X"


def test_the_table_does_not_go_back_to_what_a_rollback_of_a_route_took_back() -> None:
    assert after("r=A s=X", "r=B s=X", "r=B s=Y", "back r", "back") == "r=A s=X"


def test_a_route_that_was_not_there_is_nothing_to_go_back_to() -> None:
    with pytest.raises(ChangeError, match="no earlier state of route 's'"):
        after("r=A", "r=A s=X", "back s")
    assert after("r=A", "r=A s=X", "back") == "r=A"


def test_a_route_that_was_taken_out_comes_back() -> None:
    assert after("r=A s=X", "r=A", "back s") == "r=A s=X"


def test_a_route_that_never_was_is_named() -> None:
    with pytest.raises(ChangeError, match="'t' is no route of any version"):
        after("r=A", "r=B", "back t")


def test_without_any_version_there_is_nothing_to_go_back_to() -> None:
    with pytest.raises(ChangeError, match="there is no version yet"):
        rollback_target([])


def test_a_baseline_that_changed_places_is_a_difference() -> None:
    history = History("A")
    for order in ("xy", "yx"):
        history.append({"routes": {"r": {"variants": {name: {} for name in order}}}})
    assert rollback_target(history.versions, "r").number == 2


def test_no_more_versions_are_read_than_needed() -> None:
    def newest_first() -> Iterator[Version]:
        yield from History("A", "B", "C").versions[:2]
        raise AssertionError

    assert rollback_target(newest_first()).number == 2


STATES = st.sampled_from([f"r={one} s={two}" for one in "ABC" for two in "XY"])
STEPS = st.lists(STATES | st.sampled_from(["back", "back r", "back s"]), min_size=1, max_size=12)


def lenient(steps: list[str]) -> History:
    """Go through `steps`; a rollback that is refused does nothing."""
    history = History("r=A s=X")
    for step in steps:
        try:
            history.go(step)
        except ChangeError:
            assert step.startswith("back")
    return history


@given(STEPS, st.sampled_from(["back", "back r", "back s"]))
def test_after_any_history_rollbacks_come_to_an_end_and_each_changes_something(
    steps: list[str], back: str
) -> None:
    history = lenient(steps)
    most = len(history.versions)
    for _ in range(most):
        before = history.said
        try:
            history.go(back)
        except ChangeError:
            return
        assert history.said != before
    raise AssertionError("more rollbacks than there were versions")


@given(STEPS, STATES)
def test_after_any_history_a_rollback_takes_back_one_change_exactly(
    steps: list[str], change: str
) -> None:
    history = lenient(steps)
    before = history.said
    history.go(change)
    if history.said != before:
        history.go("back")
        assert history.said == before


@given(STEPS, STATES)
def test_a_rollback_of_a_route_takes_back_its_part_and_nothing_of_another(
    steps: list[str], change: str
) -> None:
    history = lenient(steps)
    before = dict(pair.split("=") for pair in history.said.split())
    history.go(change)
    changed = dict(pair.split("=") for pair in change.split())
    if changed["r"] != before["r"]:
        history.go("back r")
        assert history.said == f"r={before['r']} s={changed['s']}"


@given(st.lists(STATES, min_size=1, max_size=8))
def test_rollbacks_after_changes_alone_retrace_them(steps: list[str]) -> None:
    history = History(*steps)
    way = [state for place, state in enumerate(steps) if place == 0 or steps[place - 1] != state]
    for state in reversed(way[:-1]):
        history.go("back")
        assert history.said == state
