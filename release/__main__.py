"""`make dist`: all steps from a commit to a folder that can be published."""

import argparse
import hashlib
import tempfile
from pathlib import Path

from release import bill, build, contents, drive, schema, version
from release.running import ROOT, Failed, said

OUT = ROOT / "dist"


def main() -> None:
    """Fill dist/ from the last commit; end with 1, and say why, where a step fails."""
    parser = argparse.ArgumentParser(prog="make dist")
    parser.add_argument("--tag", default="", help="the release's tag, which must fit the version")
    try:
        release(parser.parse_args().tag)
    except Failed as failed:
        raise SystemExit(f"no release: {failed}") from failed


def release(tag: str) -> None:
    """Build, check, drive; only what passed everything gets into dist/."""
    commit = version.agreed(tag)
    with tempfile.TemporaryDirectory(prefix="turnout-dist-") as scratch:
        folder = Path(scratch)
        packages = build.twice(folder, commit)
        contents.check(packages, commit)
        named = f"turnout-{commit.version}"
        requirements = bill.requirements(folder / f"{named}-requirements.txt")
        drive.drive(packages.wheel, requirements, folder)
        materials = schema.keep(bill.materials(folder / f"{named}.cdx.json", commit))
        fill([packages.wheel, packages.sdist, requirements, materials])


def fill(files: list[Path]) -> None:
    """Put the files into dist/ in place of what was there, with their SHA-256 sums."""
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    sums = []
    for file in files:
        data = file.read_bytes()
        (OUT / file.name).write_bytes(data)
        sums.append(f"{hashlib.sha256(data).hexdigest()}  {file.name}\n")
    (OUT / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    said(f"dist/ has {len(files)} files and SHA256SUMS")


if __name__ == "__main__":
    main()
