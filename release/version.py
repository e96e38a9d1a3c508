"""Which version is to be released: package, tag and change log must agree on it."""

import re
from dataclasses import dataclass

from proxy import __version__
from release.running import ROOT, Failed, run, said


@dataclass(frozen=True)
class Commit:
    """What is released: nothing that is committed meanwhile gets in."""

    version: str
    name: str  # git's
    seconds: int  # when it was made, since 1970


def agreed(tag: str) -> Commit:
    """Return the last commit; Failed where tag, package and change log differ on its version."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    problem = disagreement(__version__, tag, changelog)
    if problem:
        raise Failed(problem)
    if run("git", "status", "--porcelain", "--untracked-files=no"):
        said("there are changes that are not committed; the release is of the last commit")
    name, seconds = run("git", "log", "-1", "--format=%H %ct").split()
    said(f"turnout {__version__}, commit {name}")
    return Commit(__version__, name, int(seconds))


def disagreement(version: str, tag: str, changelog: str) -> str | None:
    """Return what contradicts the version, if anything; without a tag nothing is promised yet."""
    if not tag:
        return None
    if tag != f"v{version}":
        return f"the tag is {tag}, and the version in proxy/__init__.py makes it v{version}"
    if not re.search(
        rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE
    ):
        return f"CHANGELOG.md has no section [{version}] with a date"
    unreleased = re.search(r"^## \[Unreleased\]\n(.*?)^## ", changelog, re.MULTILINE | re.DOTALL)
    if unreleased and unreleased[1].strip():
        return "CHANGELOG.md has lines under [Unreleased]: they belong to this version"
    return None
