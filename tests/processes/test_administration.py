"""Administration of a whole turnout: whose token opens it, and that a change is what is served."""

import stat
from pathlib import Path

import httpx2

from proxy.controlplane.admin.entrance.tokens import digest_of
from tests.support.patience import eventually
from tests.support.scripted_upstream import json_reply, scripted_upstream
from tests.support.served import LISTENERS, Served, served

ADMIN = "canary-admin-token"
READER = "canary-reader-token"
CONFIG = """\
upstreams:
  u: {{base_url: 'http://127.0.0.1:{port}/v1'}}
routes:
  support:
    variants: {{base: {{upstream: u, model: m}}, ft-v2: {{upstream: u, model: lora}}}}
    split: {{base: 1}}
workers: 2
"""
TOKENS = f"""\
, tokens: {{
  ann: {{sha256: {digest_of(ADMIN.encode())}, role: admin}},
  rob: {{sha256: {digest_of(READER.encode())}, role: reader}}}}"""
SPLIT = "/api/v1/routes/support/split"
ALL_TO_TUNED = {"weights": {"ft-v2": 1}, "why": "it is better"}


async def ask(turnout: Served, method: str, path: str, token: str, body: object = None) -> int:
    headers = {"authorization": f"Bearer {token}"}
    return (await turnout.administer(method, path, body, **headers)).status_code


async def served_by(turnout: Served) -> str:
    """Return the variant that a request of the route goes to."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        url = f"http://127.0.0.1:{turnout.port}/v1/chat/completions"
        answer = await client.post(url, json={"model": "support", "messages": []})
    assert answer.status_code == 200
    return answer.headers["x-turnout-variant"]


async def test_the_local_token_opens_a_turnout_without_configured_ones_and_a_change_is_served(
    tmp_path: Path,
) -> None:
    async with scripted_upstream() as upstream:
        upstream.by_default = json_reply({"object": "chat.completion", "choices": []})
        async with served(tmp_path, CONFIG.format(port=upstream.port)) as turnout:
            path = turnout.data / "admin.token"
            token = path.read_text().strip()
            modes = {stat.S_IMODE(each.stat().st_mode) for each in turnout.data.iterdir()}
            assert modes == {0o600}, "what is kept is nobody else's to read"
            address = turnout.data / "admin.address"
            assert address.read_text().startswith(f"127.0.0.1:{turnout.admin_port} ")
            assert await ask(turnout, "GET", "/api/v1/status", "wrong") == 401
            assert await ask(turnout, "POST", SPLIT, "wrong", ALL_TO_TUNED) == 401
            assert await served_by(turnout) == "base"
            done = (await turnout.administer("POST", SPLIT, ALL_TO_TUNED)).json()
            assert (done["version"], done["workers"], done["of"]) == (2, 2, 2)
            assert await served_by(turnout) == "ft-v2"
            assert (await turnout.status())["table"]["why"] == "it is better"
            entries = (await turnout.admin("/api/v1/audit")).json()["entries"]
            assert [(each["who"], each["action"], each["result"]) for each in entries[:2]] == [
                ("local", "split", "done"),
                ("-", "split", "refused"),
            ]
            assert await turnout.end() == 0
            assert not address.exists(), "it is nowhere any more"
        said = turnout.log.read_text() + "".join(turnout.said)
        assert str(path) in said
        assert token not in said
        assert digest_of(token.encode()) not in said


async def test_configured_tokens_open_it_instead_until_the_file_has_them_no_more(
    tmp_path: Path,
) -> None:
    async with scripted_upstream() as upstream:
        config = CONFIG.format(port=upstream.port)
        listeners = LISTENERS.replace("0'}", f"0'{TOKENS}}}")
        async with served(tmp_path, config, listeners=listeners) as turnout:
            assert not (turnout.data / "admin.token").exists()
            assert await ask(turnout, "GET", "/api/v1/status", READER) == 200
            assert await ask(turnout, "POST", SPLIT, READER, ALL_TO_TUNED) == 403
            assert await ask(turnout, "POST", SPLIT, ADMIN, ALL_TO_TUNED) == 200
            file = tmp_path / "turnout.yaml"
            file.write_text(file.read_text().replace(TOKENS, ""))

            async def gone() -> int:
                return await ask(turnout, "GET", "/api/v1/status", ADMIN)

            assert await eventually(gone, lambda status: status == 401) == 401
            assert (await turnout.status())["table"]["version"] == 2
            assert await turnout.end() == 0
        assert "canary" not in turnout.log.read_text() + "".join(turnout.said)
