"""Bodies: bounded, and strictly JSON; whoever may not come in sends none that is read."""

from collections.abc import AsyncIterator

import pytest

from proxy.controlplane.admin.entrance.body import MOST_BYTES
from tests.support.administered import ADMIN, READER, Administered, administered

SPLIT = "/api/v1/routes/support/split"
JSON = "application/json"


@pytest.fixture
async def admin() -> AsyncIterator[Administered]:
    async with administered() as running:
        yield running


async def send(
    admin: Administered, body: bytes | AsyncIterator[bytes], kind: str = JSON, token: str = ADMIN
) -> tuple[int, list[str]]:
    headers = {"authorization": f"Bearer {token}", "content-type": kind}
    answer = await admin.client.post(SPLIT, content=body, headers=headers)
    detail = answer.json()["detail"] if answer.status_code != 200 else {}
    return answer.status_code, [detail.get("message", ""), *detail.get("problems", [])]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b"NaN",
        b'{"weights": {"base": NaN}}',
        b'{"weights": {"base": Infinity}}',
        b'{"weights": {"base": 1e999}}',
        b'{"weights": {"base": 1}, "why": "\\ud800"}',
        b'{"weights": {"base": 1, "base": 2}}',
        b'{"weights": {"base": 1}, "weights": {"ft-v2": 1}}',
        b'{"weights": ' + b"[" * 5000,
        b'{"weights": {"base": ' + b"1" * 5000 + b"}}",
        b'{"weights": {"base": 1}} x',
    ],
)
async def test_what_is_no_json_is_refused_and_written_down(
    admin: Administered, body: bytes
) -> None:
    status, said = await send(admin, body)
    assert (status, "JSON" in said[0]) == (400, True)
    (entry,) = admin.entries
    assert (entry.who, entry.action, entry.target) == ("ann", "split", "support")
    assert (entry.result, "JSON" in entry.detail) == ("refused", True)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_of_another_kind_is_not_read_as_json(admin: Administered, kind: str) -> None:
    assert (await send(admin, b'{"weights": {"base": 1}}', kind))[0] == 400
    assert admin.publisher.current.number == 1


async def test_a_body_is_bounded_also_where_it_does_not_say_its_length(
    admin: Administered,
) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while read < 100 * MOST_BYTES:
            read += 1024
            yield b" " * 1024

    assert (await send(admin, b" " * (MOST_BYTES + 1)))[0] == 413
    assert (await send(admin, endless()))[0] == 413
    assert [entry.result for entry in admin.entries] == ["refused"] * 2
    largest = b'{"weights": {"base": 1}}'.ljust(MOST_BYTES)
    assert (await send(admin, largest))[0] == 200


async def test_who_may_not_change_anything_is_told_so_before_the_body_is_looked_at(
    admin: Administered,
) -> None:
    assert (await send(admin, b"{", token=READER))[0] == 403
    assert (await send(admin, b"{", token="wrong"))[0] == 401


async def test_problems_are_listed_all_and_name_places_not_values(admin: Administered) -> None:
    body = b'{"weights": {"base": "canary", "ft-v2": -1}, "what\\u0007": 1, "why": "a\\nb"}'
    status, said = await send(admin, body)
    assert (status, said[0]) == (400, "The request has problems.")
    assert said[1].startswith("why has a line break")
    assert said[2:4] == [
        "weights.base must be a number",
        "weights.ft-v2 must be at least 0; choose a larger number",
    ]
    assert said[4] == "what\\x07 is not known here"
    assert "canary" not in str(said)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b'{"weights": 1}', "weights must be an object"),
        (b'{"weights": {}}', "weights is empty; say at least one"),
        (b'{"weights": {"base": 1}, "why": 3}', "why must be text"),
        (b"[]", "the body must be an object"),
    ],
)
async def test_problems_of_json_are_told_in_the_words_of_json(
    admin: Administered, body: bytes, problem: str
) -> None:
    assert (await send(admin, body))[1][1:] == [problem]


async def test_problems_are_not_listed_without_end(admin: Administered) -> None:
    many = b",".join(b'"%d": 1' % number for number in range(2000))
    status, said = await send(admin, b"{" + many + b"}")
    assert status == 400
    assert len(said) == 21
