"""`turnout status`: the state of a running turnout, once or kept live."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from proxy.cli.running.options import looks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from proxy.cli.running.asking import Asking


@click.command()
@click.option("--watch", is_flag=True, help="Keep it live until Ctrl-C.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.2),
    default=2.0,
    show_default=True,
    metavar="S",
    help="Seconds between two looks, with --watch.",
)
@looks
def status(asking: Asking, *, watch: bool, every: float) -> int:
    """Show routes with their splits, workers, upstreams, alerts and the last reading of the file.

    \b
    Exit code: 0 all is as the file says, 1 degraded, 2 usage, 3 turnout can't be reached.

    \b
    Examples:
        turnout status
        turnout status --watch
        turnout status --json
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from datetime import UTC, datetime  # noqa: PLC0415  # --help needs none of it

    from proxy.cli.drawing.state import state  # noqa: PLC0415  # same
    from proxy.controlplane.admin import models  # noqa: PLC0415  # same

    if watch:
        keep(asking, every)
        return 0
    found = asking.show(
        asking.look("status"), models.Status, lambda each: state(each, datetime.now(UTC))
    )
    return 1 if found.degraded else 0


def keep(asking: Asking, every: float, wait: Callable[[float], None] = time.sleep) -> None:
    """Show the state again and again until Ctrl-C; with JSON, a line each time."""
    show = lines if asking.as_json else live if sys.stdout.isatty() else blocks
    try:
        show(asking, lambda: wait(every))
    except KeyboardInterrupt:
        return


def lines(asking: Asking, pause: Callable[[], None]) -> None:
    """Print the state as a line of JSON, again and again."""
    while True:
        click.echo(asking.look("status"))
        pause()


def blocks(asking: Asking, pause: Callable[[], None]) -> None:
    """Print the state below what was printed before, again and again."""
    from proxy.cli.drawing.console import put  # noqa: PLC0415  # --help needs none of it

    while True:
        put([*seen(asking), ""])
        pause()


def live(asking: Asking, pause: Callable[[], None]) -> None:
    """Draw the state in place, again and again.

    Where turnout can't be reached for a while, the last state stays, below what is wrong.
    """
    from rich.console import Group  # noqa: PLC0415  # --help needs none of it
    from rich.live import Live  # noqa: PLC0415  # same
    from rich.text import Text  # noqa: PLC0415  # same

    from proxy.cli.drawing.console import console  # noqa: PLC0415  # same
    from proxy.cli.running.refused import UNREACHED, Denied  # noqa: PLC0415  # same

    drawn = Group(*seen(asking))
    with Live(drawn, console=console(), auto_refresh=False, screen=True) as view:
        while True:
            pause()
            try:
                drawn = Group(*seen(asking))
                view.update(drawn, refresh=True)
            except Denied as denied:
                if denied.exit_code != UNREACHED:
                    raise
                view.update(Group(Text(denied.message, "bold red"), drawn), refresh=True)


def seen(asking: Asking) -> Iterator[RenderableType]:
    """Look, and return the state as it is drawn."""
    from datetime import UTC, datetime  # noqa: PLC0415  # --help needs none of it

    from proxy.cli.drawing.state import state  # noqa: PLC0415  # same
    from proxy.cli.running.asking import read  # noqa: PLC0415  # same
    from proxy.controlplane.admin import models  # noqa: PLC0415  # same

    return state(read(asking.look("status"), models.Status), datetime.now(UTC))
