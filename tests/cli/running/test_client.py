import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from proxy.cli.running.client import Client
from proxy.cli.running.refused import Denied
from proxy.cli.running.where import Found, Where

Answerer = Callable[[httpx2.Request], httpx2.Response]

HERE = Found(value="http://127.0.0.1:8001", source="the default")
TOKEN = Found(value="abc", source="TURNOUT_ADMIN_TOKEN")
NO_TOKEN = Found(value="", source="turnout-data/admin.token is not there")


@contextmanager
def client(answer: Answerer, token: Found = TOKEN) -> Iterator[Client]:
    made = Client(Where(url=HERE, token=token), transport=httpx2.MockTransport(answer))
    yield made
    made.close()


def refusing(status: int, **detail: object) -> Answerer:
    """Answer as turnout does when it refuses."""
    return lambda _: httpx2.Response(status, json={"detail": {"message": "No.", **detail}})


def denied(answer: Answerer, token: Found = TOKEN, method: str = "POST") -> Denied:
    """Return how a request is denied that is answered so."""
    with client(answer, token) as asked, pytest.raises(Denied) as caught:
        asked.get(("status",)) if method == "GET" else asked.change(method, ("reload",))
    return caught.value


def test_a_request_says_who_asks_of_what_and_against_which_version() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={"a": 1}, headers={"etag": '"8"'})

    with client(answer) as asked:
        got = asked.change(
            "DELETE",
            ("routes", "org/chat", "pins"),
            query={"unit": "a&b=ü", "why": None},
            etag='"7"',
        )

    (request,) = seen
    assert (json.loads(got.body), got.etag) == ({"a": 1}, '"8"')
    assert request.url.raw_path == b"/api/v1/routes/org%2Fchat/pins?unit=a%26b%3D%C3%BC"
    assert request.headers["authorization"] == "Bearer abc"
    assert request.headers["if-match"] == '"7"'
    assert request.headers["user-agent"].startswith("turnout-cli/")


def test_without_a_token_none_is_sent() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=dict(request.headers))

    with client(answer, NO_TOKEN) as asked:
        assert "authorization" not in json.loads(asked.get(("status",)).body)


def test_a_token_that_is_made_while_turnout_starts_is_found(tmp_path: Path) -> None:
    path = tmp_path / "admin.token"

    def starting(request: httpx2.Request) -> httpx2.Response:
        path.write_text("fresh", encoding="utf-8")
        if "authorization" not in request.headers:
            return refusing(401)(request)
        return httpx2.Response(200, json=dict(request.headers))

    made = Client(
        Where(url=HERE, token=NO_TOKEN, kept=path), transport=httpx2.MockTransport(starting)
    )

    assert json.loads(made.get(("status",)).body)["authorization"] == "Bearer fresh"


def test_nobody_there_is_told_with_the_address_and_where_it_came_from() -> None:
    def nobody(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    found = denied(nobody)

    assert found.exit_code == 3
    assert found.message == (
        "nobody answers at http://127.0.0.1:8001 (the default); is turnout running?"
    )


def test_where_nobody_is_there_any_more_the_other_place_is_tried_with_its_own_token() -> None:
    other = Where(url=Found(value="http://127.0.0.1:9", source="the file"), token=NO_TOKEN)
    seen: list[tuple[str, bool]] = []

    def moved(request: httpx2.Request) -> httpx2.Response:
        seen.append((str(request.url.port), "authorization" in request.headers))
        if request.url.port == 8001:
            raise httpx2.ConnectError("refused", request=request)
        return httpx2.Response(200, json={})

    def nobody(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectTimeout("nobody", request=request)

    there = Where(url=HERE, token=TOKEN, instead=other)
    made = Client(there, transport=httpx2.MockTransport(moved))
    made.change("POST", ("reload",))
    made.get(("status",))
    with pytest.raises(Denied) as caught:
        Client(there, transport=httpx2.MockTransport(nobody)).get(("status",))

    assert seen == [("8001", True), ("9", False), ("9", False)]
    assert caught.value.message == (
        "nobody answers at http://127.0.0.1:8001 (the default), nor at http://127.0.0.1:9 "
        "(the file); is turnout running?"
    )


def test_a_connection_that_breaks_leaves_a_change_open_and_says_so() -> None:
    def broken(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadError("reset", request=request)

    assert denied(broken).message.endswith(
        "It is not known whether the change is in force; see with: turnout versions --limit 1"
    )
    assert denied(broken).exit_code == 5
    assert "not known" not in denied(broken, method="GET").message
    assert denied(broken, method="GET").exit_code == 3


@pytest.mark.parametrize(
    ("status", "answer", "told"),
    [
        (502, {"text": "<html>Bad Gateway"}, "failed with status 502. It is not known"),
        (503, {"text": ""}, "failed with status 503. It is not known"),
        (500, {"json": {"detail": {"message": "No."}}}, "No. It is not known"),
    ],
)
def test_a_failure_in_between_leaves_a_change_open_and_says_so(
    status: int, answer: dict[str, Any], told: str
) -> None:
    def failing(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, **answer)

    found = denied(failing)

    assert found.exit_code == 5
    assert told in found.message
    assert "turnout versions --limit 1" in found.message
    assert denied(failing, method="GET").exit_code == 3


def test_an_answer_that_is_cut_in_the_middle_leaves_a_change_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def cut() -> None:
            taken, _ = listener.accept()
            with taken:
                taken.recv(65_536)
                taken.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{")

        thread = threading.Thread(target=cut)
        thread.start()
        url = Found(value=f"http://127.0.0.1:{listener.getsockname()[1]}", source="--admin-url")
        made = Client(Where(url=url, token=TOKEN))
        with pytest.raises(Denied, match="no whole answer") as caught:
            made.change("POST", ("rollback",), body={})
        made.close()
        thread.join()

    assert caught.value.exit_code == 5


def test_turnout_itself_says_when_nothing_was_changed() -> None:
    found = denied(refusing(503))

    assert (found.exit_code, found.message) == (1, "No.")


def test_a_wrong_token_is_told_by_where_it_came_from_and_not_repeated() -> None:
    found = denied(refusing(401))

    assert found.exit_code == 1
    assert found.message.startswith("the token from TURNOUT_ADMIN_TOKEN is not known")
    assert "abc" not in found.message


def test_no_token_is_told_with_where_it_was_looked_for() -> None:
    message = denied(refusing(401), NO_TOKEN).message

    assert "there is none: turnout-data/admin.token is not there" in message
    assert "TURNOUT_ADMIN_TOKEN" in message


def test_a_token_that_may_only_read_is_named() -> None:
    assert denied(refusing(403)).message == "No. The one used is from TURNOUT_ADMIN_TOKEN."


def test_a_refusal_has_all_problems_each_once() -> None:
    found = denied(refusing(400, problems=["No.", "a is missing", "b is none"]))

    assert found.exit_code == 1
    assert found.format_message() == "No.\n  a is missing\n  b is none"
    assert found.as_json()["detail"]["problems"] == ["No.", "a is missing", "b is none"]


def test_who_changed_the_routing_meanwhile_is_told() -> None:
    said = {"source": "cli", "who": "ann", "at": "2026-11-22T16:40:00.123Z"}
    since = [
        {"number": 9, "parent": 8, "why": "", **said},
        {"number": 8, "parent": 7, "why": "ft-v2 is slow", **said},
    ]

    found = denied(refusing(412, current=9, since=since))

    assert found.exit_code == 4
    assert found.format_message() == (
        "No.\n"
        "  version 9, 2026-11-22 16:40:00 UTC, cli by ann\n"
        "  version 8, 2026-11-22 16:40:00 UTC, cli by ann: ft-v2 is slow\n"
        "Look at it (turnout diff 7 9), then ask again."
    )


def test_what_does_not_fit_there_is_named_for_whoever_asks_again() -> None:
    since = [{"number": 9, "parent": 8, "why": "", "source": "cli", "who": "ann", "at": ""}]
    found = denied(refusing(412, since=[{**since[0], "in_force": False}]))
    assert found.format_message().endswith(
        "(turnout diff 8 9), then ask again with --if-version 9."
    )


def test_of_many_versions_in_between_the_last_ten_are_listed() -> None:
    said = {"source": "cli", "who": "ann", "why": "", "at": "2026-11-22T16:40:00Z"}
    since = [{"number": n, "parent": n - 1, **said} for n in range(13, 1, -1)]

    told = denied(refusing(412, since=since)).format_message().splitlines()

    assert len(told) == 13
    assert told[-2:] == ["  ... and 2 before", "Look at it (turnout diff 1 13), then ask again."]


@pytest.mark.parametrize("body", ["", "<html>", '"no"', '{"detail": "no"}', '{"detail": {}}'])
def test_something_else_that_answers_is_not_taken_for_turnout(body: str) -> None:
    found = denied(lambda _: httpx2.Response(404, text=body))

    assert found.exit_code == 3
    assert "is not turnout's administration (status 404)" in found.message
