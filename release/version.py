"""Which version is to be released: package, tag and change log must agree on it."""

import re

from proxy import __version__
from release.running import ROOT, Failed, run, said


def agreed(tag: str) -> str:
    """Return the version; Failed where a tag or, with one, the change log says another."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    problem = disagreement(__version__, tag, changelog)
    if problem:
        raise Failed(problem)
    if run("git", "status", "--porcelain", "--untracked-files=no"):
        said("there are changes that are not committed; the release is of the last commit")
    said(f"turnout {__version__}, commit {run('git', 'rev-parse', '--short', 'HEAD').strip()}")
    return __version__


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
