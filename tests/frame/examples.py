"""What the documents show: blocks of code, and the command lines in them."""

import re
from textwrap import dedent

import click

FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def fenced(text: str) -> list[tuple[str, str]]:
    """Return the language and the text of each block of code, those within lists included."""
    return [(language, dedent(block)) for _, language, block in FENCED.findall(text)]


def commands(text: str, program: str) -> list[str]:
    """Return the command lines of `program` in the console blocks of a document.

    In a block that has prompts, what stands behind none is output.
    """
    lines = []
    for language, block in fenced(text):
        if language in ("console", "sh", "bash", "shell"):
            joined = block.replace("\\\n", " ")
            prompt = "$ " if re.search(r"^\$ ", joined, re.MULTILINE) else ""
            typed = [line for line in joined.splitlines() if line.startswith(prompt)]
            lines += [line.removeprefix(prompt) for line in typed]
    return [
        piece.strip()
        for line in lines
        for piece in re.split(r"&&|\|\||[|;]|\s>\s", line)
        if piece.split()[:1] == [program]
    ]


def parse(group: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    """Parse a command line as click would, without running it."""
    try:
        context = group.make_context(group.name or "turnout", words, parent=parent)
    except click.exceptions.Exit:
        return  # --help and --version end here
    if isinstance(group, click.Group) and context._protected_args:
        rest = [*context._protected_args, *context.args]
        _, command, rest = group.resolve_command(context, rest)
        assert command is not None
        parse(command, rest, context)
