"""Under which licences the packages are that turnout runs on, and which of these are allowed.

Read off the packages that are installed here; `python -m release.licences docs/licences.md` writes
the page. It knows nothing of what a package does.
"""

import re
import sys
import tomllib
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from release.running import ROOT

# Licence -> what allows it in a program under Apache-2.0 that people run and pass on.
ALLOWED = {
    "0BSD": "permissive",
    "Apache-2.0": "permissive",
    "BSD-2-Clause": "permissive",
    "BSD-3-Clause": "permissive",
    "CNRI-Python": "permissive",
    "ISC": "permissive",
    "MIT": "permissive",
    "PSF-2.0": "permissive",
    "LGPL-3.0-only": "weak copyleft: a library of its own, unchanged, which anybody can replace",
    "MPL-2.0": "weak copyleft by file: unchanged files of its own",
}
# Packages that do not say it by an SPDX expression: what they say -> the expression.
SPELLED = {
    "MIT License": "MIT",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD License": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# Only what can't be installed where turnout runs.
ELSEWHERE = re.compile(r"sys_platform == '(win32|emscripten)'")
PAGE = """\
# Under which licences turnout's dependencies are

turnout itself is under Apache-2.0. `pip install` brings the packages below along, directly or
through one another; none is copied into turnout's own packages. `make docs` writes this page from
what is installed; a test fails when it is out of date, or a package has a licence that is not
allowed. `make dist` writes the same, with versions and hashes, as a bill of materials (CycloneDX).

| package | licence |
|---|---|
{packages}

## What is allowed

| licence | because it is |
|---|---|
{allowed}
"""


class Unknown(Exception):
    """A package that is not installed, or that does not say its licence in a way that we know."""


def licence(name: str) -> str:
    """Return the licence of an installed package as an SPDX expression."""
    try:
        return read(metadata(name))
    except PackageNotFoundError as error:
        raise Unknown(f"{name} is not installed") from error


def read(about: PackageMetadata) -> str:
    """Return the licence that a package's metadata tell of, by the most exact of their fields."""
    fields: dict[str, Any] = about.json
    exact = str(fields.get("license_expression", ""))
    text = str(fields.get("license", "")).strip().partition("\n")[0].strip()
    marks = [line for line in fields.get("classifier", []) if line.startswith("License ::")]
    for words in [exact] if exact else [text, *(mark.rpartition(" :: ")[2] for mark in marks)]:
        expression = SPELLED.get(words, words)
        if expression and parts(expression) <= ALLOWED.keys():
            return expression
    raise Unknown(
        f"{fields['name']}: {exact or text or marks or 'no licence'} is not among those allowed"
    )


def parts(expression: str) -> set[str]:
    """Return the licences that an SPDX expression names."""
    return {
        word
        for word in re.split(r"[()\s]+", expression)
        if word and word not in ("AND", "OR", "WITH")
    }


def runtime() -> list[str]:
    """Return the packages that turnout brings along where it runs, as uv.lock has them."""
    locked = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    packages = {package["name"]: package for package in locked}
    found: set[str] = set()
    waiting: list[tuple[str, list[str]]] = [("turnout", [])]
    while waiting:
        name, extras = waiting.pop()
        package = packages[name]
        wanted = list(package.get("dependencies", ()))
        for extra in extras:
            wanted += package.get("optional-dependencies", {}).get(extra, ())
        for each in wanted:
            if not ELSEWHERE.search(each.get("marker", "")) and each["name"] not in found:
                found.add(each["name"])
                waiting.append((each["name"], each.get("extra", [])))
    return sorted(found)


def page() -> str:
    """Return docs/licences.md; Unknown where a package has none that is allowed."""
    rows = {name: licence(name) for name in runtime()}
    used = set().union(*map(parts, rows.values()))
    return PAGE.format(
        packages="\n".join(f"| `{name}` | {expression} |" for name, expression in rows.items()),
        allowed="\n".join(f"| {name} | {ALLOWED[name]} |" for name in sorted(used)),
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
