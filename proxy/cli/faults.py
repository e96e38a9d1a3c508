"""What goes wrong on the command line, and which configuration file is meant.

A Fault is shown as one message on stderr. It knows no command.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar

import click

DEFAULT_FILE = "turnout.yaml"
VARIABLE = "TURNOUT_CONFIG"
DATA_VARIABLE = "TURNOUT_DATA"
NAME_A_FILE = f"name a file with --config or {VARIABLE}"
Function = TypeVar("Function", bound=Callable[..., Any])


class Fault(click.ClickException):
    """A message for the user, and the exit code that goes with it."""

    def __init__(self, message: str, *, code: int) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # click means it to be set so

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the message to stderr."""
        mark = click.style("turnout:", fg="red", bold=True)
        click.echo(f"{mark} {self.format_message()}", file=file, err=True)


def config_option(function: Function) -> Function:
    """Add `--config FILE` to a command; pass its value through `config_file`."""
    return click.option(
        "--config",
        type=click.Path(),
        envvar=VARIABLE,
        show_envvar=True,
        metavar="FILE",
        help=f"The configuration file. [default: {DEFAULT_FILE} in this folder]",
    )(function)


def config_file(given: str | None, *, remedy: str = NAME_A_FILE) -> str:
    """Return the file that is meant: the one given, TURNOUT_CONFIG's, or this folder's.

    Fault (exit code 2) with the `remedy` where none is named and none is here.
    """
    named = given or os.environ.get(VARIABLE)
    if named:
        return named
    if Path(DEFAULT_FILE).exists():
        return DEFAULT_FILE
    raise Fault(f"there is no {DEFAULT_FILE} in this folder; {remedy}", code=2)
