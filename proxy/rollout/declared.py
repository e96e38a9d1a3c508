"""Declared: whether the file, read again, asks for a change.

The file is declared state. It is a change when it says something else than the last version that
came from a file, not when it differs from what is in force: so a rollback by hand survives a
restart. Where hosts share their versions each has a copy of the file, and one may be outdated:
what it says was published before, and what has come since is not to be undone by it. Which files
are older is told by their revision: the largest that was ever seen counts, also where its file
was no change. It knows neither what a file looks like nor what is in force.
"""

from enum import StrEnum

from proxy.rollout.version import Version


class Verdict(StrEnum):
    """What becomes of the file's routing."""

    PUBLISH = "publish"
    UNCHANGED = "unchanged"
    OUTDATED = "outdated"  # a newer file came before: ignored with a warning


def judge(
    last_from_file: Version | None,
    digest: str,
    revision: int | None = None,
    *,
    seen: int | None = None,
    old: bool = False,
) -> Verdict:
    """Return what becomes of a file with this routing `digest` and `revision`.

    `seen` is the largest revision that a file ever had (None: none had one). A larger one wins,
    also when it says the same again: that puts the file in force over changes made by hand. A
    smaller one is outdated, and so is a file without one that does not say what the last one from
    a file did (None: there was none). Where none was seen, or it is the same, the digest decides.
    A file without a revision that is `old`, for it says what it said when it was read here last,
    changes nothing.
    """
    if last_from_file is None:
        return Verdict.PUBLISH
    if revision is not None and seen is not None and revision != seen:
        return Verdict.PUBLISH if revision > seen else Verdict.OUTDATED
    if digest == last_from_file.digest:
        return Verdict.UNCHANGED
    return Verdict.OUTDATED if revision is None and (old or seen is not None) else Verdict.PUBLISH
