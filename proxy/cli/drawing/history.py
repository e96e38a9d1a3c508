"""History, drawn: versions, what differs between them, and the audit log."""

from collections.abc import Iterator

import yaml
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from proxy.cli.drawing.console import by, clean
from proxy.cli.drawing.moments import local
from proxy.controlplane.admin import models
from proxy.rollout import difference

VERSIONS = ("version", "when", "source", "who", "why")
AUDIT = ("when", "who", "from", "what", "result", "version", "why")
RESULTS = {"done": "green", "refused": "yellow", "failed": "bold red"}
MARKS = {"+": "green", "-": "red", "~": "yellow"}


def versions(page: models.Versions) -> Iterator[RenderableType]:
    """Draw a page of versions; a star is at the one in force."""
    grid = _grid(VERSIONS)
    for line in page.versions:
        number = Text(f"* {line.number}", "bold green") if line.in_force else f"  {line.number}"
        grid.add_row(number, local(line.at), line.source, clean(line.who), clean(reason(line)))
    yield grid
    if page.before is not None:
        yield Text(f"There are more: turnout versions --before {page.before}", "dim")


def version(found: models.WholeVersion) -> Iterator[RenderableType]:
    """Draw a version; its contents are YAML, the rest is comments of it."""
    force = ", in force" if found.in_force else ""
    yield Text(f"# version {found.number}{force}", "bold")
    yield Text(f"# {local(found.at)}, {by(found.source, found.who)}", "dim")
    if why := reason(found):
        yield Text(f"# {clean(why)}", "dim")
    yield Text(f"# sha256 {found.digest}", "dim")
    yield Text(yaml.safe_dump(found.contents, sort_keys=False, allow_unicode=True).rstrip("\n"))


def diff(found: models.Diff) -> Iterator[RenderableType]:
    """Draw what differs, a line each: + new, - gone, ~ changed."""
    if not found.differences:
        yield f"versions {found.earlier} and {found.later} say the same"
    for each in found.differences:
        stands = {name: getattr(each, name) for name in each.model_fields_set - {"path"}}
        line = difference.told(difference.Difference(path=tuple(each.path), **stands))
        yield Text(clean(line), MARKS[line[0]])


def audit(page: models.Audit) -> Iterator[RenderableType]:
    """Draw a page of the audit log."""
    grid = _grid(AUDIT)
    for line in page.entries:
        grid.add_row(
            local(line.at),
            clean(line.who),
            clean(line.origin),
            clean(f"{line.action} {line.target}".rstrip()),
            Text(line.result, RESULTS[line.result]),
            "" if line.version is None else str(line.version),
            clean("; ".join(filter(None, (line.why, line.detail)))),
        )
    yield grid
    if page.before is not None:
        yield Text(f"There are more: turnout audit --before {page.before}", "dim")


def reason(line: models.VersionLine) -> str:
    """Return why a version came about: what it restored, the file's number, what was said."""
    of = "" if line.route is None else f" for '{line.route}'"
    restored = "" if line.restored is None else f"contents of {line.restored}{of}"
    revision = "" if line.revision is None else f"revision {line.revision}"
    return "; ".join(filter(None, (restored, revision, line.why)))


def _grid(heads: tuple[str, ...]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for _ in heads:
        grid.add_column(overflow="fold")
    grid.add_row(*(Text(head, "dim") for head in heads))
    return grid
