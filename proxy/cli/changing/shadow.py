"""`turnout shadow`: a variant gets a share of a route's requests as well, unseen by clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from proxy.cli.running.names import routes, variants
from proxy.cli.running.options import changes

if TYPE_CHECKING:
    from proxy.cli.running.asking import Asking

OFF = "off"


@click.command()
@click.argument("route", shell_complete=routes)
@click.argument("variant", metavar="VARIANT|off", shell_complete=variants)
@click.option(
    "--percent",
    type=click.FloatRange(0, 100, min_open=True),
    metavar="P",
    help="How many of the route's requests, in percent.",
)
@click.option(
    "--timeout-seconds",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    help="How long one may take. [default: 60]",
)
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many at once, over all workers. [default: 16]",
)
@changes
def shadow(asking: Asking, *, route: str, variant: str, **given: float | None) -> None:
    """Let VARIANT get some requests of ROUTE as well; no client sees or waits for its replies.

    `off` ends it.

    \b
    Examples:
        turnout shadow support ft-v2 --percent 5 --why "before the first users"
        turnout shadow support off
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    said = {name: value for name, value in given.items() if value is not None}
    if variant == OFF and said:
        raise click.UsageError(f"'{OFF}' ends the shadow: leave out the other options.")
    if variant != OFF and "percent" not in said:
        raise click.UsageError("Say how many of the requests: --percent P.")
    if variant == OFF:
        asking.publish("DELETE", "routes", route, "shadow")
    else:
        asking.publish("PUT", "routes", route, "shadow", body={"variant": variant, **said})
