"""`turnout pin`: a unit's own variant, whatever the split says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from proxy.cli.running.names import routes
from proxy.cli.running.options import changes

if TYPE_CHECKING:
    from proxy.cli.running.asking import Asking


@click.command()
@click.argument("route", shell_complete=routes)
@click.argument("given", metavar="UNIT=VARIANT")
@changes
def pin(asking: Asking, *, route: str, given: str) -> None:
    """Give a unit of ROUTE a variant of its own, for testers: alice=ft-v2.

    The unit is what the route sticks to: a user, a conversation, or a key's name. What it asks is
    marked as pinned.

    \b
    Examples:
        turnout pin support alice=ft-v2
        turnout pin support alice=ft-v2 --why "alice tests"
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    unit, _, variant = given.rpartition("=")
    if not unit or not variant:
        raise click.BadParameter("write it like alice=ft-v2", param_hint="UNIT=VARIANT")
    asking.publish("PUT", "routes", route, "pins", body={"unit": unit, "variant": variant})
