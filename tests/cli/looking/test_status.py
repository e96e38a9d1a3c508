import io
import sys
from collections.abc import Iterator

import httpx2
import pytest

from proxy.cli.looking.status import keep
from proxy.cli.running.asking import Asking
from proxy.cli.running.client import Client
from proxy.cli.running.refused import Denied
from proxy.cli.running.where import Found, Where
from tests.cli.conftest import Run
from tests.cli.drawing.test_console import Terminal
from tests.cli.drawing.test_state import status
from tests.support.served_admin import ServedAdmin

HERE = Where(url=Found(value="http://x", source="s"), token=Found(value="t", source="s"))
FIRST, SECOND = status(version="1.0"), status(version="2.0")


def asking(*answers: object, as_json: bool = False) -> Asking:
    """Return a turnout that answers so, one after the other; None: nobody is there."""
    rest = iter(answers)

    def answer(request: httpx2.Request) -> httpx2.Response:
        found = next(rest)
        if found is None:
            raise httpx2.ConnectError("refused", request=request)
        if isinstance(found, int):
            return httpx2.Response(found, json={"detail": {"message": "No.", "problems": []}})
        return httpx2.Response(200, content=found.model_dump_json())  # type: ignore[attr-defined]  # a model

    return Asking(Client(HERE, transport=httpx2.MockTransport(answer)), as_json=as_json)


def looking(times: int) -> Iterator[None]:
    """Yield that often, then be Ctrl-C."""
    yield from [None] * (times - 1)
    raise KeyboardInterrupt


def watch(asked: Asking, times: int) -> None:
    pauses = looking(times)
    keep(asked, 2.0, lambda _: next(pauses))


def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Let stdout be a terminal from now on."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "40")
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    return out


def test_watching_draws_in_place_until_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    out = terminal(monkeypatch)

    watch(asking(FIRST, SECOND), 2)

    told = out.getvalue()
    assert told.index("\x1b[?1049h") < told.index(" 1.0") < told.index(" 2.0")
    assert "\x1b[?1049l" in told  # the screen is as it was


def test_while_nobody_answers_the_last_state_stays_below_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = terminal(monkeypatch)

    watch(asking(FIRST, None, SECOND), 3)

    told = out.getvalue()
    assert told.index(" 1.0") < told.index("nobody answers") < told.index(" 2.0")
    assert "1.0" in told[told.index("nobody answers") : told.index(" 2.0")]


def test_watching_ends_where_it_is_refused_or_never_began(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch)
    for answers in ([FIRST, 403], [None]):
        with pytest.raises(Denied):
            watch(asking(*answers), 3)


def test_without_a_terminal_each_look_is_printed_below_the_last(
    capsys: pytest.CaptureFixture[str],
) -> None:
    watch(asking(FIRST, SECOND), 2)

    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert told.index("turnout 1.0") < told.index("turnout 2.0")


def test_as_json_each_look_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    watch(asking(FIRST, SECOND, as_json=True), 2)

    assert len(capsys.readouterr().out.splitlines()) == 2


def test_an_answer_of_another_kind_is_no_state(capsys: pytest.CaptureFixture[str]) -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, text="hello")

    with pytest.raises(Denied, match="of another version"):
        watch(Asking(Client(HERE, transport=httpx2.MockTransport(answer))), 1)


def test_a_status_that_is_degraded_is_exit_code_1(turnout: Run, admin: ServedAdmin) -> None:
    assert turnout("status").exit_code == 0
    admin.house.write("upstreams: {}\nroutes: 3\n")

    assert turnout("reload").exit_code == 1
    result = turnout("status")

    assert result.exit_code == 1
    assert "DEGRADED" in result.stdout
    assert "turnout.yaml:2:1" in result.stdout
