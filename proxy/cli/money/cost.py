"""`turnout cost`: what was spent, by route, variant, client key or day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from proxy.cli.running.options import looks
from proxy.cli.running.times import Moment

if TYPE_CHECKING:
    from datetime import datetime

    from proxy.cli.running.asking import Asking

BY = ("route", "variant", "key", "day")


@click.command()
@click.option(
    "--since",
    type=Moment(),
    default="30d",
    show_default=True,
    metavar="TIME",
    help="From that day on, in UTC, like 7d or 2026-11-01.",
)
@click.option(
    "--by", type=click.Choice(BY), default="variant", show_default=True, help="Add it up by this."
)
@looks
def cost(asking: Asking, *, since: datetime, by: str) -> None:
    """Show what requests have cost, and of how many that is unknown.

    \b
    Examples:
        turnout cost
        turnout cost --by key --since 7d
        turnout cost --by day --json
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.cli.money.drawn import costs  # noqa: PLC0415  # --help needs none of it
    from proxy.controlplane.admin import models  # noqa: PLC0415  # same

    asking.show(asking.look("cost", since=since.isoformat(), by=by), models.Costs, costs)
