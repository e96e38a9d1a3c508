import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import proxy
from proxy.cli import main
from proxy.cli.root import COMMANDS
from proxy.cli.running.refused import CHANGED, REFUSED, UNKNOWN, UNREACHED
from tests.cli.conftest import Run

TURNOUT = Path(sys.executable).with_name("turnout")


def every_command() -> Iterator[tuple[str, click.Command]]:
    """Yield each command by the words that call it, those of groups too."""
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", each) for inner, each in command.commands.items())


COMMANDS_BY_WORDS = dict(every_command())


def test_the_version_is_told(run: Run) -> None:
    for word in ("--version", "-V"):
        assert run(word).stdout == f"turnout, version {proxy.__version__}\n"


def test_help_lists_every_command_with_its_summary(run: Run) -> None:
    told = " ".join(run("--help").stdout.split())

    for name, (_, summary) in COMMANDS.items():
        assert f"{name} {summary}" in told


def test_help_says_what_each_exit_code_means(run: Run) -> None:
    told = run("--help").stdout
    codes = {int(code) for code in re.findall(r"^ +(\d)  \w", told, re.MULTILINE)}
    assert codes == {0, 2, REFUSED, UNREACHED, CHANGED, UNKNOWN}


def test_turnout_alone_shows_the_help(run: Run) -> None:
    assert "turnout check" in run().output


@pytest.mark.parametrize("words", COMMANDS_BY_WORDS)
def test_every_command_explains_itself_and_each_of_its_options(run: Run, words: str) -> None:
    command = COMMANDS_BY_WORDS[words]
    told = run(*words.split(), "--help").stdout

    assert (command.help or "").splitlines()[0].rstrip(".") in " ".join(told.split())
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.opts[0] in told


@pytest.mark.parametrize(
    "words",
    [
        words
        for words, command in COMMANDS_BY_WORDS.items()
        if not isinstance(command, click.Group)
    ],
)
def test_every_commands_help_has_examples(run: Run, words: str) -> None:
    assert f"turnout {words}" in run(*words.split(), "--help").stdout.partition("Examples:")[2]


def test_an_unknown_command_is_a_usage_error_on_stderr(run: Run) -> None:
    result = run("chekc")

    assert result.exit_code == 2
    assert "No such command 'chekc'. Did you mean 'check'?" in result.stderr
    assert result.stdout == ""


def test_to_a_command_that_is_like_none_nothing_is_suggested(run: Run) -> None:
    assert run("xyzzy").stderr.endswith("No such command 'xyzzy'.\n")


@pytest.mark.parametrize(
    "words", [w for w, command in COMMANDS_BY_WORDS.items() if isinstance(command, click.Group)]
)
def test_a_groups_help_cuts_no_summary_off(run: Run, words: str) -> None:
    assert "..." not in run(*words.split(), "--help").stdout.partition("Commands:")[2]


def test_help_loads_no_command_and_nothing_heavy() -> None:
    code = (
        "import sys; from proxy.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    loaded = set(ran.stderr.split())
    heavy = {"pydantic", "yaml", "rich", "msgspec", "fastapi", "uvloop", "asyncio", "httpx2"}
    assert not loaded & (heavy | {f"proxy.cli.{module}" for module, _ in COMMANDS.values()})


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("serve", "demo")])
def test_the_help_of_a_command_loads_nothing_heavy(name: str) -> None:
    module, _ = COMMANDS[name]
    code = f"import sys, proxy.cli.{module}; print(*sorted(sys.modules), file=sys.stderr)"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert not set(ran.stderr.split()) & {"pydantic", "yaml", "rich", "fastapi", "httpx2"}


def test_the_installed_command_runs(file: Path) -> None:
    ran = subprocess.run(
        [TURNOUT, "check"], capture_output=True, text=True, check=False, timeout=60
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "turnout.yaml is fine: 1 upstream, 3 routes.\n"


def test_a_mistake_ends_the_process_with_a_message_and_no_traceback(folder: Path) -> None:
    ran = subprocess.run(
        [TURNOUT, "route", "list"], capture_output=True, text=True, check=False, timeout=60
    )

    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr == (
        "turnout: there is no turnout.yaml in this folder; "
        "name a file with --config or TURNOUT_CONFIG\n"
    )
