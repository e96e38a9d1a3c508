"""What admins change: each request becomes the change that it says, and a word on how it went."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.controlplane.admin import models
from proxy.errors import Unsure
from proxy.rollout import Source, contents_of
from tests.support.administered import ADMIN, FILE, READER, Administered, administered

API = "/api/v1"
SUPPORT = f"{API}/routes/support"
CHANGES = [
    ("POST", f"{SUPPORT}/split", {"weights": {"base": 1, "ft-v2": 3}}),
    ("POST", f"{SUPPORT}/variants", {"name": "ft-v3", "upstream": "vllm", "weight": 5}),
    ("DELETE", f"{SUPPORT}/variants/ft-v2", None),
    ("POST", f"{SUPPORT}/variants/ft-v2/drain", {}),
    ("POST", f"{API}/variants/ft-v2/off", {}),
    ("POST", f"{API}/variants/ft-v2/on", {}),
    ("PUT", f"{SUPPORT}/pins", {"unit": "alice", "variant": "ft-v2"}),
    ("DELETE", f"{SUPPORT}/pins?unit=alice", None),
    ("PUT", f"{SUPPORT}/shadow", {"variant": "ft-v2", "percent": 5}),
    ("DELETE", f"{SUPPORT}/shadow", None),
    ("POST", f"{API}/rollback", {"route": None}),
    ("POST", f"{API}/reload", None),
]


@pytest.fixture
async def admin() -> AsyncIterator[Administered]:
    async with administered() as running:
        yield running


def support(admin: Administered) -> Any:
    return contents_of(admin.publisher.current)["routes"]["support"]


def published(answer: httpx2.Response) -> models.Published:
    assert answer.status_code == 200, answer.text
    return models.Published.model_validate_json(answer.content)


async def test_a_split_is_in_force_when_it_is_answered(admin: Administered) -> None:
    answer = await admin.post(f"{SUPPORT}/split", {"weights": {"ft-v2": 5}, "why": "all of it"})
    done = published(answer)
    assert (done.version, done.changed, done.workers, done.of) == (2, True, 2, 2)
    assert (done.milliseconds, done.late, answer.headers["etag"]) == (2.0, [], '"2"')
    (route,) = done.routes
    assert [each.share for each in route.variants] == [0.0, 1.0]
    assert support(admin)["split"] == {"ft-v2": 5.0}
    assert (admin.publisher.current.who, admin.publisher.current.why) == ("ann", "all of it")


async def test_a_change_that_changes_nothing_makes_no_version(admin: Administered) -> None:
    done = published(await admin.post(f"{SUPPORT}/split", {"weights": {"base": 90, "ft-v2": 10}}))
    assert (done.version, done.changed) == (1, False)


async def test_workers_that_are_late_are_named(admin: Administered) -> None:
    admin.house.late = (1,)
    assert published(await admin.post(f"{SUPPORT}/split", {"weights": {"base": 1}})).late == [1]


async def test_a_variant_comes_drains_and_goes(admin: Administered) -> None:
    said = {
        "name": "ft-v3",
        "upstream": "vllm",
        "model": "lora-3",
        "weight": 10,
        "overrides": {"temperature": 0.2},
        "defaults": {"top_p": 0.9},
        "why": "the new one",
    }
    await admin.post(f"{SUPPORT}/variants", said)
    assert support(admin)["variants"]["ft-v3"] == {
        "upstream": "vllm",
        "model": "lora-3",
        "overrides": {"temperature": 0.2},
        "defaults": {"top_p": 0.9},
    }
    refused = await admin.delete(f"{SUPPORT}/variants/ft-v3?why=too%20early")
    assert (refused.status_code, "drain it first" in refused.text) == (409, True)
    await admin.post(f"{SUPPORT}/variants/ft-v3/drain", {"why": "done with it"})
    assert support(admin)["split"] == {"base": 100.0, "ft-v2": 10.0}
    published(await admin.delete(f"{SUPPORT}/variants/ft-v3?why=gone"))
    assert list(support(admin)["variants"]) == ["base", "ft-v2"]
    assert [each.why for each in admin.entries] == [
        "the new one",
        "too early",
        "done with it",
        "gone",
    ]


async def test_a_variant_is_switched_off_everywhere_or_on_one_route(admin: Administered) -> None:
    published(await admin.post(f"{API}/variants/ft-v2/off"))
    assert support(admin)["variants"]["ft-v2"]["off"] is True
    published(await admin.post(f"{API}/variants/ft-v2/on", {"route": "support"}))
    assert "off" not in support(admin)["variants"]["ft-v2"]
    refused = await admin.post(f"{API}/variants/base/off", {"route": "org/chat"})
    assert (refused.status_code, "no variant that is on" in refused.text) == (409, True)


async def test_a_unit_is_pinned_and_let_go(admin: Administered) -> None:
    await admin.put(f"{SUPPORT}/pins", {"unit": "alice & bob", "variant": "ft-v2"})
    assert support(admin)["pins"] == {"alice & bob": "ft-v2"}
    published(await admin.delete(f"{SUPPORT}/pins?unit=alice%20%26%20bob&why=over"))
    assert "pins" not in support(admin)


async def test_a_shadow_begins_and_ends(admin: Administered) -> None:
    said = {"variant": "ft-v2", "percent": 10, "timeout_seconds": 5, "concurrency": 2}
    await admin.put(f"{SUPPORT}/shadow", said)
    assert support(admin)["shadow"] == said
    published(await admin.delete(f"{SUPPORT}/shadow"))
    assert "shadow" not in support(admin)


async def test_a_rollback_is_of_one_route_or_of_all_and_must_say_which(
    admin: Administered,
) -> None:
    await admin.post(f"{SUPPORT}/split", {"weights": {"base": 1}})
    await admin.post(f"{API}/routes/org%2Fchat/variants", {"name": "ft", "upstream": "vllm"})
    published(await admin.post(f"{API}/rollback", {"route": "support", "why": "worse"}))
    assert support(admin)["split"] == {"base": 90.0, "ft-v2": 10.0}
    assert admin.publisher.current.source is Source.ROLLBACK
    published(await admin.post(f"{API}/rollback", {"route": None, "to": 1}))
    assert "ft" not in contents_of(admin.publisher.current)["routes"]["org/chat"]["variants"]
    refused = await admin.post(f"{API}/rollback", {})
    assert (refused.status_code, refused.json()["detail"]["problems"]) == (
        400,
        ["route is missing"],
    )
    assert (await admin.post(f"{API}/rollback", {"route": None, "to": 99})).status_code == 404
    assert (await admin.post(f"{API}/rollback", {"route": "nope"})).status_code == 404


async def test_a_reading_of_the_file_says_what_came_of_it(admin: Administered) -> None:
    admin.house.write("upstreams: {}")
    answer = await admin.post(f"{API}/reload")
    read = models.Reloaded.model_validate_json(answer.content)
    assert (read.result, read.version, read.workers) == ("rejected", 1, None)
    assert "upstreams" in read.problems[0]
    admin.house.write(FILE.replace("90", "80") + "listen: 127.0.0.1:9000\n")
    read = models.Reloaded.model_validate_json((await admin.post(f"{API}/reload")).content)
    assert (read.result, read.version, read.restart_needed) == ("published", 2, ["listen"])
    assert (read.workers, read.of, read.late, read.problems) == (2, 2, [], [])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{API}/routes/nope/split", {"weights": {"base": 1}}),
        ("POST", f"{API}/routes/nope/variants", {"name": "ft", "upstream": "vllm"}),
        ("DELETE", f"{SUPPORT}/variants/nope", None),
        ("POST", f"{SUPPORT}/variants/nope/drain", None),
        ("POST", f"{API}/variants/nope/off", None),
        ("POST", f"{API}/variants/ft-v2/on", {"route": "org/chat"}),
        ("PUT", f"{API}/routes/nope/pins", {"unit": "a", "variant": "base"}),
        ("PUT", f"{SUPPORT}/pins", {"unit": "a", "variant": "nope"}),
        ("PUT", f"{SUPPORT}/shadow", {"variant": "nope", "percent": 5}),
        ("DELETE", f"{SUPPORT}/pins?unit=nope", None),
        ("POST", f"{SUPPORT}/split", {"weights": {"base": 1, "nope": 1}}),
        ("POST", f"{API}/routes/%1b%5B31m/split", {"weights": {"base": 1}}),
        ("POST", f"{API}/rollback", {"route": "nope", "to": 1}),
    ],
)
async def test_what_is_not_there_is_named_with_what_there_is(
    admin: Administered, method: str, path: str, body: object
) -> None:
    answer = await admin.ask(method, path, body)
    assert answer.status_code == 404
    message = answer.json()["detail"]["message"]
    assert "there are: " in message
    assert message.isprintable()
    assert [each.result for each in admin.entries] == ["refused"]


async def test_what_can_not_be_served_is_refused_with_every_problem(admin: Administered) -> None:
    answer = await admin.post(f"{SUPPORT}/variants", {"name": "ft", "upstream": "nowhere"})
    assert answer.status_code == 400
    (problem,) = answer.json()["detail"]["problems"]
    assert "upstream" in problem


async def test_while_nothing_can_be_changed_that_is_said(admin: Administered) -> None:
    admin.publisher.hold("another turnout takes over")
    answer = await admin.post(f"{SUPPORT}/split", {"weights": {"base": 1}})
    assert (answer.status_code, "takes over" in answer.text) == (503, True)


async def test_what_may_have_been_kept_is_never_called_nothing(admin: Administered) -> None:
    def lost() -> None:
        raise Unsure("the answer was lost")

    admin.house.versions.before_append = lost
    answer = await admin.post(f"{SUPPORT}/split", {"weights": {"base": 1}})
    assert (answer.status_code, "is not known" in answer.text) == (504, True)


@pytest.mark.parametrize(("method", "path", "body"), CHANGES[:-1])
async def test_a_change_made_against_an_older_version_is_refused_and_says_who_was_faster(
    admin: Administered, method: str, path: str, body: object
) -> None:
    await admin.post(f"{SUPPORT}/split", {"weights": {"base": 1}, "why": "I was faster"})
    answer = await admin.ask(method, path, body, if_match='"1"')
    assert answer.status_code == 412
    told = models.Outdated.model_validate_json(answer.content).detail
    assert (told.current, [each.why for each in told.since]) == (2, ["I was faster"])
    assert admin.publisher.current.number == 2


async def test_a_version_that_is_not_there_yet_is_missing_and_not_overtaken(
    admin: Administered,
) -> None:
    answer = await admin.post(f"{SUPPORT}/split", {"weights": {"base": 1}}, if_match='"99"')
    assert answer.status_code == 404
    assert answer.json()["detail"]["message"] == (
        "there is no version 99; the last one, in force, is 1"
    )


async def test_a_change_made_against_the_version_in_force_or_any_is_made(
    admin: Administered,
) -> None:
    path = f"{SUPPORT}/split"
    for number, tag in enumerate(['"1"', "*", '  "3" '], start=1):
        body = {"weights": {"base": number}}
        assert published(await admin.post(path, body, if_match=tag)).version == number + 1


@pytest.mark.parametrize("tag", ["1", 'W/"1"', '"x"', '"1", "2"', "", '"-1"', '"01"', '"²"'])
async def test_an_if_match_that_says_no_version_is_refused(admin: Administered, tag: str) -> None:
    headers: Any = {"authorization": f"Bearer {ADMIN}", "if-match": tag.encode()}
    body = {"weights": {"base": 1}}
    answer = await admin.client.post(f"{SUPPORT}/split", json=body, headers=headers)
    assert (answer.status_code, admin.publisher.current.number) == (400, 1)


async def test_the_command_line_is_told_from_other_callers(admin: Administered) -> None:
    await admin.post(f"{SUPPORT}/split", {"weights": {"base": 1}})
    body = {"weights": {"ft-v2": 1}}
    await admin.post(f"{SUPPORT}/split", body, user_agent="turnout-cli/0.1.0")
    sources = [version.source for version in admin.house.versions.kept]
    assert sources == [Source.FILE, Source.API, Source.CLI]


async def test_every_change_is_named_with_its_target(admin: Administered) -> None:
    for method, path, body in CHANGES[:-1]:
        await admin.ask(method, path, body)
    assert [(each.action, each.target) for each in admin.entries] == [
        ("split", "support"),
        ("add_variant", "support/ft-v3"),
        ("remove_variant", "support/ft-v2"),
        ("drain_variant", "support/ft-v2"),
        ("switch_off", "ft-v2"),
        ("switch_on", "ft-v2"),
        ("pin", "support"),
        ("unpin", "support"),
        ("shadow", "support"),
        ("end_shadow", "support"),
        ("rollback", ""),
    ]


WORDS = ["weights", "why", "name", "upstream", "model", "weight", "overrides", "route", "to"]
WORDS += ["unit", "variant", "percent", "timeout_seconds", "concurrency", "defaults", "base"]
names = st.sampled_from([*WORDS, "ft-v2", "support", "vllm"]) | st.text(max_size=5)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | names
    | st.just("1" * 600)
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=8,
)
bodies = st.dictionaries(names, values, max_size=6).map(json.dumps) | st.text(max_size=20)
parts = st.sampled_from(["support", "ft-v2", "org%2Fchat", "1", ".."]) | st.text(max_size=6)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
async def test_whatever_is_sent_is_never_our_own_error(admin: Administered, data: Any) -> None:
    method, path, known = data.draw(st.sampled_from(CHANGES))
    for part in ("support", "ft-v2"):
        path = path.replace(part, quote(data.draw(parts), safe="%."))
    body = data.draw(
        bodies
        | st.builds(
            lambda extra: json.dumps({**(known or {}), **extra}),
            st.dictionaries(names, values, max_size=2),
        )
    )
    headers = {"authorization": f"Bearer {ADMIN}", "content-type": "application/json"}
    if data.draw(st.booleans()):
        headers["if-match"] = data.draw(st.sampled_from(['"1"', "*", '"9"', "x"]))
    content = body.encode("utf-8", "surrogatepass")
    answer = await admin.client.request(method, path, content=content, headers=headers)
    assert answer.status_code < 500, (method, path, body, answer.text)
    assert answer.json()
    contents_of(admin.publisher.current)


async def test_planted_tokens_are_in_no_answer_no_log_and_no_entry(
    admin: Administered, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = []
    for method, path, body in [*CHANGES, ("GET", f"{API}/status", None), ("GET", "/", None)]:
        for token in (ADMIN, READER, "canary-wrong"):
            answer = await admin.ask(method, path, body, token=token, if_match="canary")
            heard.append(f"{answer.headers} {answer.text}")
    heard += [*capfd.readouterr(), str(admin.entries), str(admin.house.versions.kept)]
    assert "canary" not in "".join(heard)
