"""`turnout compare`: a route's variants side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from proxy.cli.faults import Fault
from proxy.cli.running.names import routes, variants
from proxy.cli.running.options import looks
from proxy.cli.running.times import Moment

if TYPE_CHECKING:
    from datetime import datetime

    from proxy.cli.running.asking import Asking


@click.command()
@click.argument("route", shell_complete=routes)
@click.option(
    "--since",
    type=Moment(),
    metavar="TIME",
    help="Requests since then, like 6h, 7d, 2026-11-22. [default: 24h]",
)
@click.option("--until", type=Moment(), metavar="TIME", help="Only those before then.")
@click.option(
    "--baseline",
    shell_complete=variants,
    metavar="VARIANT",
    help="What to compare with. [default: the route's first variant]",
)
@click.option(
    "--candidate",
    shell_complete=variants,
    metavar="VARIANT",
    help="What to compare. [default: each other variant that has a share]",
)
@click.option(
    "--html",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    metavar="FILE",
    help="Write it as a page, with plots, into this file as well.",
)
@looks
def compare(
    asking: Asking,
    *,
    route: str,
    since: datetime | None,
    until: datetime | None,
    baseline: str | None,
    candidate: str | None,
    file: Path | None,
) -> None:
    """Put a route's variants side by side: errors, times, tokens, cost, quality.

    Each difference has an interval that holds the true one in 95 of 100 cases; where that shows a
    variant to be worse, it is red. Only requests that the split gave out count.

    \b
    Examples:
        turnout compare support
        turnout compare support --since 7d --candidate ft-v2
        turnout compare support --since 24h --html support.html
        turnout compare support --json
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.cli.comparing.page import page  # noqa: PLC0415  # --help needs none of it
    from proxy.cli.comparing.table import table  # noqa: PLC0415  # same
    from proxy.controlplane.admin.comparing.models import Comparison  # noqa: PLC0415  # same

    body = asking.look(
        *("routes", route, "compare"),
        since=since and since.isoformat(),
        until=until and until.isoformat(),
        baseline=baseline,
        candidate=candidate,
    )
    found = asking.show(body, Comparison, table)
    if file is not None:
        try:
            file.write_text(page(found), encoding="utf-8")
        except OSError as error:
            raise Fault(f"{file} can't be written: {error.strerror}", code=1) from error
