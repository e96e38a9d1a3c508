"""The `turnout` command itself: which commands there are, and how their errors are shown.

The list of commands carries their summaries, so that `turnout --help` loads none of them.
"""

from importlib import import_module

import click

from proxy import __version__
from proxy.cli.faults import Fault
from proxy.errors import ConfigError, Refusal

# Command -> what it does, in one line. Its module is proxy.cli.COMMAND.
COMMANDS = {
    "serve": "Run the proxy.",
    "demo": "See it work, with simulated models.",
    "check": "List every problem of a configuration file, each with its remedy.",
    "route": "List routes, and explain where a request goes.",
    "completion": "Print the completion script of a shell.",
}


class Root(click.Group):
    """The group of all commands, loaded one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the commands' names, most used first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name from the module of this name; None: there is none."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(f"proxy.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        """Write the commands with their summaries, without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what a user can mend ends as a message, never as a traceback."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            raise Fault(str(error), code=2 if error.unreadable else 1) from error
        except Refusal as error:
            raise Fault(error.message, code=1) from error


@click.group(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", prog_name="turnout")
def main() -> None:
    """Put fine-tuned models before real users, safely: an inference proxy.

    \b
    Start without a file, forwarding everything as it is:
        turnout serve --upstream https://api.openai.com/v1
    Or write a turnout.yaml, check it, and serve it:
        turnout check
        turnout serve
    See it work first, with simulated models:
        turnout demo
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
