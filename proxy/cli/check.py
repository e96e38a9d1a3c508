"""`turnout check`: every problem of a configuration file at once."""

import json
import os

import click

from proxy.cli.faults import VARIABLE, config_file
from proxy.errors import ConfigError


@click.command()
@click.argument("file", required=False, type=click.Path())
@click.option("--schema", is_flag=True, help="Print the file's JSON Schema, for editors.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def check(context: click.Context, *, file: str | None, schema: bool, as_json: bool) -> None:
    """List every problem of a configuration file, each with its place and remedy.

    FILE is TURNOUT_CONFIG or turnout.yaml where none is given. Environment variables and secret
    files that it refers to must be there: it is checked as it would be served.

    \b
    Exit code: 0 it is fine, 1 it has problems, 2 it can't be read.

    \b
    Examples:
        turnout check
        turnout check staging.yaml --json
        turnout check --schema > turnout.schema.json
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    if schema:
        from proxy.config.schema import json_schema  # noqa: PLC0415  # --help needs none of it

        click.echo(json.dumps(json_schema(), indent=2))
        return
    show = show_json if as_json else show_text
    remedy = f"name the file: turnout check FILE, or {VARIABLE}"
    context.exit(show(config_file(file, remedy=remedy)))


def show_text(file: str) -> int:
    """Print the result for people; return the exit code."""
    from proxy.config.check import check as check_file  # noqa: PLC0415  # --help needs none of it

    checked = check_file(file, os.environ)
    if checked.file is not None:
        told = f"{_some(len(checked.file.upstreams), 'upstream')}, "
        told += _some(len(checked.file.routes), "route")
        click.echo(f"{file} is fine: {told}.")
        return 0
    for problem in checked.problems:
        place = f"{problem.file}:{problem.line}:{problem.column}"
        subject = click.style(problem.subject, bold=True)
        click.echo(f"{click.style(place, fg='cyan')}: {subject} {problem.reason}")
        click.echo(f"    {problem.remedy}")
    click.echo(f"{_some(len(checked.problems), 'problem')}.")
    return 1


def show_json(file: str) -> int:
    """Print the result for programs; return the exit code."""
    import msgspec  # noqa: PLC0415  # --help needs none of it

    from proxy.config.check import check as check_file  # noqa: PLC0415  # same

    try:
        checked = check_file(file, os.environ)
    except ConfigError as error:
        click.echo(json.dumps({"file": file, "fine": False, "error": str(error)}, indent=2))
        return 2
    problems = msgspec.to_builtins(checked.problems)
    fine = checked.file is not None
    click.echo(json.dumps({"file": file, "fine": fine, "problems": problems}, indent=2))
    return 0 if fine else 1


def _some(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
