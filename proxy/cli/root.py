"""The `turnout` command itself: which commands there are, and how their errors are shown.

The list of commands carries their summaries, so that `turnout --help` loads none of them.
"""

from difflib import get_close_matches
from importlib import import_module

import click

from proxy import __version__
from proxy.cli.faults import Fault
from proxy.errors import ConfigError, Refusal

# Command -> its module below proxy.cli, which has it by its name; what it does, in one line.
SECTIONS = {
    "Run it": {
        "serve": ("serve", "Run the proxy."),
        "demo": ("demo", "See it work, with simulated models."),
        "check": ("check", "List every problem of a configuration file, each with its remedy."),
    },
    "Look at what runs": {
        "status": ("looking.status", "Show routes with their splits, workers, upstreams, alerts."),
        "ready": ("looking.ready", "Say by an exit code whether it takes traffic."),
        "alerts": ("watching.alerts", "Show the alerts that fire, and those of late."),
        "logs": ("looking.logs", "Find requests on record; show one with its whole story."),
        "compare": ("comparing.compare", "Put variants side by side, with intervals."),
        "cost": ("money.cost", "Show what requests have cost."),
        "versions": ("looking.versions", "List every routing that was in force."),
        "version": ("looking.version", "Show one of them."),
        "diff": ("looking.diff", "Show what differs between two of them."),
        "audit": ("looking.audit", "List who asked for which change, done or not."),
        "route": ("route", "List a file's routes, and explain where a request goes."),
    },
    "Change it, and undo": {
        "split": ("changing.split", "Set the weights of a route."),
        "rollback": ("changing.rollback", "Put an earlier version in force, in one step."),
        "variant": ("changing.variant", "Add, drain, remove variants; switch one off and on."),
        "pin": ("changing.pin", "Give a user, or another unit, a variant of its own."),
        "unpin": ("changing.unpin", "Take that back."),
        "shadow": ("changing.shadow", "Try a variant on real requests, unseen by clients."),
        "silence": ("watching.silence", "Let nobody be told of some alerts for a while."),
        "reload": ("changing.reload", "Read the configuration file again."),
    },
    "And": {
        "notify": ("notify", "Send a test to everybody who is told of alerts."),
        "completion": ("completion", "Print the completion script of a shell."),
    },
}
EXIT_CODES = """\b
Exit codes of commands that look and change:
  0  done
  1  refused, and every problem is said
  2  the command makes no sense as it was written
  3  turnout can't be reached
  4  the routing changed meanwhile, and who changed what is said
  5  it is not known whether the change is in force
"""
COMMANDS = {name: said for section in SECTIONS.values() for name, said in section.items()}


class Root(click.Group):
    """The group of all commands, loaded one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the commands' names, as they are grouped."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name from its module; None: there is none."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"proxy.cli.{module}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is asked for; where there is none, tell the likeliest."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            close = get_close_matches(args[0], COMMANDS, n=1)
            if not close:
                raise
            told = f"{error.message} Did you mean {close[0]!r}?"
            raise click.UsageError(told, ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        """Write the commands with their summaries, without loading them."""
        width = max(map(len, COMMANDS))
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(width), told) for name, (_, told) in section.items()]
                )

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
    epilog=EXIT_CODES,
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
    While it runs, from the folder of its file:
        turnout status
        turnout split support base=95 ft-v2=5
        turnout rollback support
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
