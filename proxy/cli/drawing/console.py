"""The terminal: how wide it is, whether it has colours, and what may be written to it."""

import os
import sys
from collections.abc import Iterable

import click
import msgspec
from rich.console import Console, RenderableType

WIDE = 10_000  # columns, where what is printed goes to no terminal: nothing is folded


def console(*, folded: bool = True) -> Console:
    """Return a console on stdout; colours only on a terminal, and not where NO_COLOR is set."""
    width = None if folded and (sys.stdout.isatty() or os.environ.get("COLUMNS")) else WIDE
    return Console(width=width, highlight=False, markup=False, emoji=False)


def put(drawn: Iterable[RenderableType], *, folded: bool = True) -> None:
    """Print what was drawn, without the blanks that fill lines up.

    Not `folded`: a line stays one line, however narrow the terminal, and loses nothing.
    """
    out = console(folded=folded)
    with out.capture() as captured:
        for each in drawn:
            out.print(each)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()), color=True)


def put_json(body: bytes) -> None:
    """Print JSON for programs, laid out."""
    click.echo(msgspec.json.format(body).decode())


def clean(text: str) -> str:
    """Return a text as a terminal can take it: nothing in it moves the cursor."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def by(source: str, who: str) -> str:
    """Return where a version came from and who made it; a file is its own author."""
    return source if source == who else f"{source} by {clean(who)}"
