"""`turnout route`: the routes of a file, and where a request goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from proxy.cli.faults import config_file, config_option
from proxy.cli.running.names import routes, variants
from proxy.cli.running.options import looks

if TYPE_CHECKING:
    from proxy.cli.running.asking import Asking


@click.group()
def route() -> None:
    """List a file's routes, and explain where a request goes."""


@route.command("list")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def list_routes(*, config: str | None, as_json: bool) -> None:
    """List the routes of a configuration file, with their splits.

    What runs is shown by `turnout status`.

    \b
    Examples:
        turnout route list
        turnout route list --config staging.yaml --json
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.cli.explaining.declared import ready  # noqa: PLC0415  # --help needs none of it
    from proxy.cli.explaining.drawn import segments  # noqa: PLC0415  # same
    from proxy.routing.explain import shares  # noqa: PLC0415  # same

    plane, router = ready(config)
    found = plane.table.routes.values()
    if as_json:
        listed = [
            {"route": each.name, "sticky": each.sticky, "segments": shares(router, each)}
            for each in found
        ]
        print_json(listed)
        return
    for each in found:
        click.echo(f"{click.style(each.name, bold=True)}  (sticky: {each.sticky})")
        click.echo("\n".join(segments(shares(router, each))))


@route.command()
@click.argument("name", metavar="ROUTE", shell_complete=routes)
@click.option("--user", metavar="USER", help="The user that a request names.")
@click.option("--conversation", metavar="ID", help="The conversation that a request names.")
@click.option(
    "--key",
    metavar="NAME",
    help="The name of the client's key; where no keys are configured, the key's SHA-256 digest.",
)
@click.option(
    "--variant",
    metavar="NAME",
    shell_complete=variants,
    help="The variant forced with x-turnout-variant.",
)
@click.option("--file", "by_file", is_flag=True, help="Ask the file, whatever runs.")
@looks
def explain(
    asking: Asking, *, name: str, variant: str | None, by_file: bool, **given: str | None
) -> None:
    """Say which variant of ROUTE a request goes to, and why.

    The turnout that runs is asked; the file, where none answers and you named no --admin-url. The
    last line says which of the two it was, and so does `source` with --json: running, or file.

    Give the one of --user, --conversation and --key that the route sticks to; without it you see
    the odds.

    \b
    Exit code: 0 explained, 1 refused, or the file has problems, 2 usage, 3 turnout can't be
    reached.

    \b
    Examples:
        turnout route explain support --user alice
        turnout route explain support --user alice --file
        turnout route explain support --variant ft-v2 --json
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.cli.explaining import declared, drawn, in_force  # noqa: PLC0415  # as above
    from proxy.cli.running.refused import Denied  # noqa: PLC0415  # as above

    options = click.get_current_context().params
    told = None if by_file else in_force.explained(asking, name, given, variant)
    if isinstance(told, Denied) and options["admin_url"]:
        raise told
    if told is None or isinstance(told, Denied):
        source, why = (
            "file",
            "whatever is in force" if told is None else "since no turnout answers",
        )
        last = f"By {config_file(options['config'])}, {why}."
        told = declared.explained(options["config"], name, given, variant)
    else:
        source, last = "running", f"In force: version {told.version}."
    if asking.as_json:
        print_json({"source": source, **told.model_dump(mode="json")})
    else:
        click.echo("\n".join([*drawn.explanation(told), last]))


def print_json(value: object) -> None:
    """Print a value as JSON for programs."""
    import msgspec  # noqa: PLC0415  # --help needs none of it

    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())
