"""When a file that is read again is a change."""

import pytest

from proxy.rollout import Source, Verdict, Version, judge


def last(digest: str = "a") -> Version:
    return Version(
        number=7,
        parent=6,
        digest=digest,
        contents=b"{}",
        source=Source.FILE,
        who="the file",
        why="",
        at=0.0,
    )


def test_the_first_file_is_published() -> None:
    assert judge(None, "a") is Verdict.PUBLISH
    assert judge(None, "a", 1) is Verdict.PUBLISH


def test_a_file_that_says_the_same_is_no_change_so_a_rollback_survives_a_restart() -> None:
    assert judge(last("a"), "a") is Verdict.UNCHANGED


def test_a_file_that_says_something_else_is_published() -> None:
    assert judge(last("a"), "b") is Verdict.PUBLISH


@pytest.mark.parametrize(("seen", "now"), [(None, 3), (3, 3)])
def test_with_the_first_revision_or_the_same_what_it_says_decides(
    seen: int | None, now: int
) -> None:
    assert judge(last("a"), "a", now, seen=seen) is Verdict.UNCHANGED
    assert judge(last("a"), "b", now, seen=seen) is Verdict.PUBLISH


def test_a_file_without_a_revision_is_outdated_once_one_was_seen() -> None:
    assert judge(last("a"), "b", seen=3) is Verdict.OUTDATED
    assert judge(last("a"), "a", seen=3) is Verdict.UNCHANGED


def test_a_smaller_revision_is_outdated_whatever_it_says() -> None:
    assert judge(last("a"), "b", 2, seen=3) is Verdict.OUTDATED
    assert judge(last("a"), "a", 2, seen=3) is Verdict.OUTDATED


def test_a_larger_revision_wins_also_when_it_says_the_same_again() -> None:
    assert judge(last("a"), "b", 4, seen=3) is Verdict.PUBLISH
    assert judge(last("a"), "a", 4, seen=3) is Verdict.PUBLISH


def test_an_old_copy_changes_nothing_unless_it_has_a_revision() -> None:
    assert judge(last("a"), "b", old=True) is Verdict.OUTDATED
    assert judge(last("a"), "a", old=True) is Verdict.UNCHANGED
    assert judge(last("a"), "b", 1, old=True) is Verdict.PUBLISH
    assert judge(None, "b", old=True) is Verdict.PUBLISH
