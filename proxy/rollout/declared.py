"""Declared: whether the file, read again, asks for a change.

The file is declared state. It is a change when it says something else than the last version that
came from a file, not when it differs from what is in force: so a rollback by hand survives a
restart. Where hosts share their versions each has a copy of the file, and one may be outdated:
what it says was published before, and what has come since is not to be undone by it. It knows
neither what a file looks like nor what is in force.
"""

from enum import StrEnum

from proxy.rollout.version import Version


class Verdict(StrEnum):
    """What becomes of the file's routing."""

    PUBLISH = "publish"
    UNCHANGED = "unchanged"
    OUTDATED = "outdated"  # a newer file came before: ignored with a warning


def judge(
    last_from_file: Version | None, digest: str, revision: int | None = None, *, old: bool = False
) -> Verdict:
    """Return what becomes of a file with this routing `digest` and `revision`.

    Where the last one from a file (None: there was none) and this one both have a revision, the
    larger wins, also when it says the same again: that puts the file in force over changes made
    by hand. Else the digest decides. A file without a revision that is `old`, for it says what it
    said when it was read here last, changes nothing.
    """
    if last_from_file is None:
        return Verdict.PUBLISH
    last = last_from_file.revision
    if revision is not None and last is not None and revision != last:
        return Verdict.PUBLISH if revision > last else Verdict.OUTDATED
    if digest == last_from_file.digest:
        return Verdict.UNCHANGED
    return Verdict.OUTDATED if old and revision is None else Verdict.PUBLISH
