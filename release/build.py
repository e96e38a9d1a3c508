"""Wheel and sdist of the last commit, built twice under different circumstances: the same bytes.

What lies about in the working tree can't get in: the build sees an export of the commit. The build
backend is the one that uv.lock pins with its hash.
"""

import io
import os
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from release.running import Failed, run, said
from release.version import Commit

# Time zone, umask and hash seed: what two machines differ in besides their paths.
HERE = {"TZ": "UTC", "PYTHONHASHSEED": "1"}
ELSEWHERE = {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "2"}
USUAL, PRIVATE = 0o022, 0o077


@dataclass(frozen=True)
class Packages:
    """The two packages of a version."""

    wheel: Path
    sdist: Path


def twice(folder: Path, commit: Commit) -> Packages:
    """Return the packages; Failed where a second build, or one from the sdist, has other bytes."""
    epoch = {"SOURCE_DATE_EPOCH": str(commit.seconds)}
    packages = built(exported(folder / "one", commit), folder / "first", HERE | epoch, USUAL)
    again = built(
        exported(folder / "a second place", commit), folder / "again", ELSEWHERE | epoch, PRIVATE
    )
    same(packages.wheel, again.wheel, "a second build")
    same(packages.sdist, again.sdist, "a second build")
    source = unpacked(packages.sdist, folder / "source")
    same(packages.wheel, built(source, folder / "third", HERE | epoch, USUAL).wheel, "the sdist")
    said(f"built twice, and from the sdist: {packages.wheel.name}, {packages.sdist.name}")
    return packages


def exported(folder: Path, commit: Commit) -> Path:
    """Lay out a commit in the folder, as git keeps it."""
    archive = folder.with_suffix(".tar")
    run("git", "archive", "--output", archive, commit.name)
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


def unpacked(sdist: Path, folder: Path) -> Path:
    """Return the one folder that an sdist has."""
    with tarfile.open(fileobj=io.BytesIO(sdist.read_bytes())) as tar:
        tar.extractall(folder, filter="data")
    return next(folder.iterdir())


def built(source: Path, out: Path, env: dict[str, str], umask: int) -> Packages:
    """Build both packages of a source tree."""
    before = os.umask(umask)
    try:
        run(sys.executable, "-m", "hatchling", "build", "-d", out, cwd=source, env=env)
    finally:
        os.umask(before)
    return Packages(wheel=next(out.glob("*.whl")), sdist=next(out.glob("*.tar.gz")))


def same(one: Path, other: Path, what: str) -> None:
    """Failed where two files differ."""
    if one.read_bytes() != other.read_bytes():
        raise Failed(f"{what} made another {one.name}: the build is not reproducible")
