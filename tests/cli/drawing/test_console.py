import io
import sys

import pytest
from rich.text import Text

from proxy.cli.drawing.console import by, clean, put, put_json


class Terminal(io.StringIO):
    """Looks like a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def printed(monkeypatch: pytest.MonkeyPatch, out: io.StringIO) -> str:
    monkeypatch.setattr(sys, "stdout", out)
    put([Text("[bold]red", "bold red")])
    return out.getvalue()


def test_a_terminal_has_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    told = printed(monkeypatch, Terminal())

    assert "\x1b[" in told
    assert "31m[bold]red" in told


def test_where_no_color_is_set_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")

    assert "31m" not in printed(monkeypatch, Terminal())


def test_what_is_no_terminal_gets_plain_text_that_is_not_folded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    for variable in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(variable, raising=False)
    assert printed(monkeypatch, io.StringIO()) == "[bold]red\n"
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)

    put(["word " * 30])

    assert out.getvalue() == "word " * 29 + "word\n"


def test_what_is_not_to_be_folded_stays_one_line_on_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)

    put(["word " * 30], folded=False)

    assert out.getvalue() == "word " * 29 + "word\n"


def test_json_is_laid_out_and_keeps_its_letters(capsys: pytest.CaptureFixture[str]) -> None:
    put_json('{"a":["ü"]}'.encode())

    assert capsys.readouterr().out == '{\n  "a": [\n    "ü"\n  ]\n}\n'


def test_what_could_steer_a_terminal_is_written_out() -> None:
    assert clean("plain ü") == "plain ü"
    assert clean("a\x1b]0;b\x07\u202ec") == "a\\x1b]0;b\\x07\\u202ec"


def test_a_file_is_its_own_author() -> None:
    assert by("file", "file") == "file"
    assert by("cli", "ann") == "cli by ann"
