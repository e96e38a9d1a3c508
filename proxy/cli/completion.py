"""`turnout completion`: the script that makes a shell complete turnout's commands."""

import click
from click.shell_completion import get_completion_class

from proxy.cli.faults import Fault


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    Examples:
        turnout completion bash >> ~/.bashrc
        turnout completion zsh >> ~/.zshrc
        turnout completion fish > ~/.config/fish/completions/turnout.fish
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    script = get_completion_class(shell)
    if script is None:
        raise Fault(f"there is no completion for {shell}", code=2)
    click.echo(script(context.find_root().command, {}, "turnout", "_TURNOUT_COMPLETE").source())
