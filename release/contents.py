"""What is inside the packages: all that is needed, and nothing that got in by accident."""

import re
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from release.build import Packages
from release.running import BIN, Failed, run, said
from release.version import Commit

LARGEST = 4 * 1024 * 1024  # bytes of a package: more is no source
# Of the wheel: each at least once. Migrations are found by their place: no import would miss them.
NEEDED = (
    r"proxy/py\.typed",
    r"proxy/__main__\.py",
    r"proxy/cli/root\.py",
    r"proxy/store/migrations/m\d+_\w+\.py",
    r"turnout-[^/]+\.dist-info/licenses/LICENSE",
    r"turnout-[^/]+\.dist-info/entry_points\.txt",
)
META = re.compile(
    r"turnout-[^/]+\.dist-info/(METADATA|WHEEL|RECORD|entry_points\.txt|licenses/LICENSE)"
)


def check(packages: Packages, commit: Commit) -> None:
    """Failed where a package lacks something, has something more, or is described badly."""
    tracked = set(run("git", "ls-tree", "-r", "--name-only", commit.name).splitlines())
    with zipfile.ZipFile(packages.wheel) as wheel:
        problems = wheel_problems(wheel.namelist(), tracked)
    with tarfile.open(packages.sdist) as sdist:
        members = sdist.getmembers()
    problems += [f"the sdist has a link or a device: {m.name}" for m in members if not m.isfile()]
    problems += sdist_problems((m.name.partition("/")[2] for m in members), tracked)
    problems += large(packages.wheel) + large(packages.sdist)
    if problems:
        raise Failed("\n".join(problems))
    run(BIN / "twine", "check", "--strict", packages.wheel, packages.sdist)
    run(BIN / "check-wheel-contents", packages.wheel)
    said("contents: as they should be")


def wheel_problems(names: Iterable[str], tracked: set[str]) -> list[str]:
    """Return what a wheel with these files lacks, and what it has beyond the package."""
    inside = set(names)
    code = {name for name in tracked if name.startswith("proxy/")}
    return [
        *(f"the wheel lacks {name}" for name in sorted(code - inside)),
        *(f"the wheel has {name}" for name in sorted(inside - code) if not META.fullmatch(name)),
        *(
            f"the wheel has nothing like {p}"
            for p in NEEDED
            if not any(re.fullmatch(p, n) for n in inside)
        ),
    ]


def sdist_problems(names: Iterable[str], tracked: set[str]) -> list[str]:
    """Return how an sdist with these files differs from the repository."""
    inside, due = set(names), tracked | {"PKG-INFO"}
    return [
        *(f"the sdist lacks {name}" for name in sorted(due - inside)),
        *(f"the sdist has {name}" for name in sorted(inside - due)),
    ]


def large(package: Path) -> list[str]:
    """Return that a package is too large to be what it should be, if it is."""
    size = package.stat().st_size
    return [f"{package.name} has {size:,} bytes"] if size > LARGEST else []
