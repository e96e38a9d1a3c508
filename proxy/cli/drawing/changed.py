"""What came of a change, or of reading the file again, drawn."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from proxy.cli.drawing.bars import split
from proxy.cli.drawing.console import clean
from proxy.controlplane.admin import models


def published(found: models.Published) -> Iterator[RenderableType]:
    """Draw a change: where it is in force, and its routes as they are now."""
    if found.changed:
        of = "" if found.restored is None else f" = contents of {found.restored}"
        yield f"{_spread(found)} (version {found.version}{of})"
    else:
        yield f"nothing to change: version {found.version} says that already"
    yield from _late(found.late)
    yield from _elsewhere(found.hosts)
    for name in found.left:
        there = f"it is STILL ON for route '{clean(name)}', where no other variant is on"
        yield Text(f"{there}: add or switch on another one, then ask again", "bold yellow")
    for route in found.routes:
        yield from split(route)


def reloaded(found: models.Reloaded) -> Iterator[RenderableType]:
    """Draw what came of reading the file again, with every problem."""
    number, pushed = found.version, found.workers is not None
    match found.result:
        case "published":
            yield f"{_spread(found)} (version {number})"
        case "unchanged" if pushed:
            yield f"{_spread(found)} (routing as before: version {number})"
        case "unchanged":
            yield f"nothing to change: the routing stays version {number}"
        case "outdated":
            yield Text(f"ignored: it is an older file; version {number} stays", "yellow")
        case "rejected":
            yield Text(f"rejected: version {number} stays in force", "bold red")
    for problem in found.problems:
        yield f"  {clean(problem)}"
    if found.restart_needed:
        yield Text(f"takes a restart: {clean(', '.join(found.restart_needed))}", "yellow")
    yield from _late(found.late)
    yield from _elsewhere(found.hosts)


def _spread(found: models.Published | models.Reloaded) -> str:
    after = found.milliseconds or 0
    reach, spread = found.hosts, f"in force on {found.workers}/{found.of} workers"
    if reach is None:
        return f"{spread} after {after:.0f} ms"
    of_hosts = f"{reach.in_force}/{reach.of} hosts after {after + reach.milliseconds:.0f} ms"
    return f"{spread} of this host, {of_hosts}"


def _elsewhere(reach: models.Reach | None) -> Iterator[RenderableType]:
    for host in reach.late if reach else ():
        yield Text(f"host {clean(host.name)}: {clean(host.why)}", "yellow")


def _late(workers: Sequence[int]) -> Iterator[RenderableType]:
    for number in workers:
        yield Text(f"worker {number} did not acknowledge in time, so it is replaced", "yellow")
