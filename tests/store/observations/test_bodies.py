"""Bodies are kept with their observation, read by its request's id, and forgotten with it."""

import zlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from proxy.errors import StoreError
from proxy.exchange.observation import Bodies, Observation
from proxy.store import open_store
from proxy.store.observations import Body, Finding, Forgetting, Keeping, KeptBodies
from proxy.store.observations.forgetting import DAY
from proxy.store.tables import BLOCK, BODIES, OBSERVATIONS, SPANS
from tests.support.observed import observed

NOW = 1_000_000_000.0


def said(request: str, reply: str, size: int = 0) -> Bodies:
    asked, answered = (zlib.compress(text.encode()) for text in (request, reply))
    return Bodies(asked, answered, size, size, request_whole=True, events=True)


def wordy(request_id: str, **more: Any) -> Observation:
    bodies = said(f'{{"a": "{request_id}"}}', "grüß\0dich", 700)
    return observed(request_id=request_id, bodies=bodies, **more)


def counted(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(BODIES)) or 0


def test_bodies_are_given_back_as_they_were_kept_and_only_where_they_were(engine: Engine) -> None:
    Keeping(engine).keep([observed(request_id="plain"), wordy("a"), wordy("b")])
    finding = Finding(engine)
    assert finding.bodies("b") == KeptBodies(
        request=Body(text='{"a": "b"}', bytes=700, whole=True),
        reply=Body(text="grüß\0dich", bytes=700, whole=False),
    )
    assert finding.bodies("plain") is None
    assert finding.bodies("nobody") is None
    found = finding.one("a")
    assert found is not None
    assert found.observation.bodies is None, "whoever looks at an exchange does not get its words"


def test_a_batch_that_comes_again_keeps_its_bodies_once(engine: Engine) -> None:
    keeping = Keeping(engine)
    keeping.keep([wordy("a"), wordy("b")])
    keeping.keep([wordy("b"), wordy("c"), observed(request_id="plain")])
    finding = Finding(engine)
    for name in "abc":
        found = finding.bodies(name)
        assert found is not None
        assert found.request.text == f'{{"a": "{name}"}}'
    assert (finding.bodies("plain"), counted(engine)) == (None, 3)


def test_rows_that_contradict_each_other_are_a_store_that_can_not_be_written(
    engine: Engine,
) -> None:
    Keeping(engine).keep([wordy("a")])
    with engine.begin() as connection:
        connection.execute(OBSERVATIONS.delete())  # by somebody who knows nothing of bodies
    with pytest.raises(StoreError, match="can't be written"):
        Keeping(engine).keep([wordy("b")])
    Keeping(engine).keep([observed(request_id="plain")])


def test_what_is_too_old_is_forgotten_with_its_bodies(engine: Engine) -> None:
    old, new = NOW - DAY - 1, NOW - DAY + 1
    Keeping(engine).keep([wordy("old", started_at=old), wordy("new", started_at=new)])
    forgetting = Forgetting(engine, seconds=DAY, size=None, wall=lambda: NOW)
    while forgetting.forget():
        pass
    finding = Finding(engine)
    assert (finding.bodies("old"), counted(engine)) == (None, 1)
    assert finding.bodies("new") is not None
    Keeping(engine).keep([wordy("next")])
    assert finding.bodies("next") is not None


def test_bodies_count_for_the_size_and_leave_with_the_oldest(engine: Engine) -> None:
    keeping = Keeping(engine)
    for block in range(3):
        batch = [observed(request_id=f"{block}-{number}") for number in range(BLOCK)]
        keeping.keep([wordy(f"w{block}"), *batch])
    with engine.connect() as connection:
        total = connection.scalar(select(func.sum(SPANS.c.bytes))) or 0
    plain = [observed(request_id="x")]
    assert keeping.keep([wordy("w")]) > keeping.keep(plain) + 20
    forgetting = Forgetting(engine, seconds=None, size=total // 2, wall=lambda: NOW)
    while forgetting.forget():
        pass
    finding = Finding(engine)
    assert finding.bodies("w0") is None
    assert finding.bodies("w") is not None


def test_what_was_said_in_one_request_and_its_shadows_can_be_taken_out(engine: Engine) -> None:
    shadow = wordy("s", shadow_of="a")
    Keeping(engine).keep([wordy("a"), shadow, wordy("b")])
    finding = Finding(engine)
    assert finding.forget("a")
    for name in "as":
        found = finding.one(name)
        assert found is not None
        assert finding.bodies(name) is None
        previews = found.observation.prompt_preview, found.observation.response_preview
        assert previews == (None, None)
        assert found.observation.latency_ms == observed().latency_ms
    assert finding.bodies("b") is not None
    assert not finding.forget("nobody")


def test_what_was_taken_out_is_in_no_page_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "versions.db"
    store = open_store(path)
    Keeping(store.engine).keep([observed(request_id="a", prompt_preview="canary" * 20)])
    assert Finding(store.engine).forget("a")
    store.close()
    assert b"canary" not in path.read_bytes()
