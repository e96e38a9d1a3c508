"""`turnout completion`: the script that makes a shell complete turnout's commands."""

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command()
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    Examples:
        turnout completion bash >> ~/.bashrc
        turnout completion zsh >> ~/.zshrc
        turnout completion fish > ~/.config/fish/completions/turnout.fish
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    script = SHELLS[shell](context.find_root().command, {}, "turnout", "_TURNOUT_COMPLETE")
    click.echo(script.source())
