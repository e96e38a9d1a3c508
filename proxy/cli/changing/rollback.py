"""`turnout rollback`: an earlier version's contents in force again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from proxy.cli.running.names import routes
from proxy.cli.running.options import changes

if TYPE_CHECKING:
    from proxy.cli.running.asking import Asking


@click.command()
@click.argument("route", required=False, shell_complete=routes)
@click.option("--all", "whole", is_flag=True, help="Roll back the whole routing.")
@click.option(
    "--to",
    type=click.IntRange(min=1),
    metavar="N",
    help="The version to go back to. [default: the last one that differed and was not itself "
    "rolled back from]",
)
@changes
def rollback(asking: Asking, *, route: str | None, whole: bool, to: int | None) -> None:
    """Put the contents that an earlier version had for ROUTE in force again.

    They become a new version: history is never rewritten. Rollbacks in a row go further and
    further back; to return to where you came from, name that version.

    \b
    Exit code: 0 in force, 1 refused, 2 usage, 3 turnout can't be reached, 4 the routing changed
    meanwhile, 5 it is not known whether it is in force.

    \b
    Examples:
        turnout rollback support
        turnout rollback support --to 4 --why "replies got short"
        turnout rollback --all
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    if (route is None) != whole:
        raise click.UsageError("Name the ROUTE to roll back, or --all for the whole routing.")
    asking.publish("POST", "rollback", body={"route": route, "to": to})
