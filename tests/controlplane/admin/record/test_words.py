"""What was asked and answered is for admins alone; who reads it or takes it out is named."""

import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.exchange import Bodies
from proxy.store import open_store
from proxy.store.observations import Finding, Keeping
from tests.support.administered import READER, Administered, administered
from tests.support.observed import observed

PATH = "/api/v1/exchanges"


@pytest.fixture
async def admin(tmp_path: Path) -> AsyncIterator[Administered]:
    store = open_store(tmp_path / "versions.db")
    asked, answered = zlib.compress(b'{"a":1}'), zlib.compress(b"cut")
    bodies = Bodies(asked, answered, 7, 9000, request_whole=True)
    Keeping(store.engine).keep([observed(request_id="a", bodies=bodies), observed(request_id="b")])
    async with administered(observations=Finding(store.engine)) as running:
        yield running
    store.close()


def written(admin: Administered) -> list[tuple[str, str, str, str, str]]:
    return [(each.who, each.action, each.target, each.why, each.result) for each in admin.entries]


async def test_an_admin_reads_them_and_that_is_written_down(admin: Administered) -> None:
    answer = await admin.ask("GET", f"{PATH}/a/body")
    assert answer.json() == {
        "request_id": "a",
        "request": {"text": '{"a":1}', "bytes": 7, "whole": True},
        "reply": {"text": "cut", "bytes": 9000, "whole": False},
    }
    assert (await admin.ask("GET", f"{PATH}/b/body")).status_code == 404
    assert (await admin.ask("GET", f"{PATH}/a/body", token=READER)).status_code == 403
    assert written(admin) == [
        ("ann", "bodies", "a", "", "done"),
        ("ann", "bodies", "b", "", "refused"),
        ("rob", "bodies", "a", "", "refused"),
    ]


async def test_a_reader_sees_how_large_they_are(admin: Administered) -> None:
    story = (await admin.get(f"{PATH}/a")).json()
    assert story["bodies"] == {
        "request_bytes": 7,
        "request_whole": True,
        "reply_bytes": 9000,
        "reply_whole": False,
    }
    assert (await admin.get(f"{PATH}/b")).json()["bodies"] is None


async def test_what_was_said_is_taken_out_and_that_is_written_down(admin: Administered) -> None:
    answer = await admin.delete(f"{PATH}/a/body?why=asked")
    assert (answer.status_code, answer.json()) == (200, {"request_id": "a"})
    assert (await admin.ask("GET", f"{PATH}/a/body")).status_code == 404
    assert (await admin.get(f"{PATH}/a")).json()["exchange"]["prompt_preview"] is None
    assert (await admin.delete(f"{PATH}/z/body")).status_code == 404
    assert written(admin)[0] == ("ann", "forget", "a", "asked", "done")
    assert written(admin)[-1] == ("ann", "forget", "z", "", "refused")


async def test_where_nothing_is_stored_that_is_told() -> None:
    async with administered() as admin:
        assert (await admin.ask("GET", f"{PATH}/a/body")).status_code == 409
        assert (await admin.delete(f"{PATH}/a/body")).status_code == 409
