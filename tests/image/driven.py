"""What the image holds, and how a container of it is driven: `make image` runs this."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.image.containers import Container, Image
from tests.support.model_server import ModelServer
from tests.support.patience import eventually
from tests.support.programs import free_port
from tests.support.scripted_upstream import chat_events, scripted_upstream, stream_reply

NAME = "localhost/turnout"
MEGABYTES = 200  # of what stands on the base
STAYS_BEHIND = ("uv", "uvx", "pip", "pip3", "hatchling", "gcc", "cc", "make", "git", "curl")

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]
FILE = """\
listen: 127.0.0.1:{port}
admin: {{listen: '127.0.0.1:{admin}'}}
upstreams: {{there: {{base_url: 'http://127.0.0.1:{upstream}/v1'}}}}
routes: {{tiny: {{variants: {{only: {{upstream: there}}}}}}}}
default_upstream: there
"""


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    image = Image(Path(os.environ["TURNOUT_TEST_IMAGE"]), NAME)
    yield image
    image.close()


def megabytes(folder: Path) -> float:
    """Return how much the files below a folder take."""
    return sum(path.lstat().st_size for path in folder.rglob("*")) / 1e6


async def healthy(image: Image, container: Container) -> None:
    """Wait until the container's health check passes."""
    check = image.config["Healthcheck"]["Test"]
    await eventually(lambda: container.healthy(check), bool, seconds=60, step=0.5)


def test_it_holds_what_it_needs_and_says_what_it_is(image: Image) -> None:
    site = next(image.root.glob("opt/turnout/lib/python3*/site-packages"))
    source = [path for path in site.rglob("*.py") if path.stem.isidentifier()]
    bare = [
        path
        for path in source
        if not any(path.parent.glob(f"__pycache__/{path.stem}.cpython-*.pyc"))
    ]
    assert len(bare) < 10, bare  # examples of another Python's syntax, say
    programs = {path.name for path in image.root.glob("*bin/*")}
    programs |= {path.name for path in image.root.glob("usr/*bin/*")}
    programs |= {path.name for path in image.root.glob("opt/turnout/bin/*")}
    assert programs & set(STAYS_BEHIND) == set()
    assert {"turnout"} <= programs
    assert not (site / "pip").exists()
    assert image.config["User"] == "10001:10001"
    assert image.config["Cmd"] == ["serve", "--config", "/etc/turnout/turnout.yaml"]
    assert image.config["Labels"]["org.opencontainers.image.title"] == "turnout"
    assert megabytes(image.root / "opt") < MEGABYTES


async def test_the_default_command_serves_on_the_default_ports(
    image: Image, tmp_path: Path
) -> None:
    file = "upstreams: {there: {base_url: 'http://127.0.0.1:9/v1'}}\ndefault_upstream: there\n"
    with image.container(tmp_path, file, alone=True) as container:
        await healthy(image, container)
        told = container.run("turnout", "status")
        assert told.returncode == 0, told.stderr
        container.signal(signal.SIGTERM)
        assert container.wait() == 0


async def test_without_a_file_it_forwards_everything(image: Image, tmp_path: Path) -> None:
    words = ("serve", "--upstream", "http://127.0.0.1:9/v1")
    with image.container(tmp_path, None, *words, alone=True) as container:
        await healthy(image, container)
        assert container.run("turnout", "versions").returncode == 0


async def test_the_openai_client_is_served_without_rights_on_a_root_that_is_read_only(
    image: Image, llama: ModelServer, tmp_path: Path
) -> None:
    port = free_port()
    file = FILE.format(port=port, admin=free_port(), upstream=llama.url.rpartition(":")[2])
    with image.container(tmp_path, file) as container:
        await healthy(image, container)

        status = container.status()
        assert set(status["Uid"].split()) == set(status["Gid"].split()) == {"10001"}
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        assert container.run("touch", "/opt/turnout/x").returncode != 0
        assert "Read-only" in container.run("touch", "/etc/turnout/x").stderr
        assert "Read-only" in container.run("touch", "/tmp/x").stderr

        url = f"http://127.0.0.1:{port}/v1"
        with OpenAI(base_url=url, api_key="none", max_retries=0) as client:
            chat = client.chat.completions
            reply = chat.create(model="tiny", messages=HELLO)
            assert reply.usage is not None
            assert reply.usage.completion_tokens > 0
            chunks = list(chat.create(model="tiny", messages=HELLO, stream=True))
            assert len(chunks) > 1
        found = container.run("turnout", "status", "--json")
        assert found.returncode == 0, found.stderr
        assert json.loads(found.stdout)["exchanges"]["begun"] == 2
        kept = {path.name for path in container.volume.iterdir()}
        assert {"versions.db", "lock", "admin.token", "last-good.yaml"} <= kept


async def test_sigterm_lets_a_stream_end_and_says_meanwhile_that_it_is_not_ready(
    image: Image, tmp_path: Path
) -> None:
    async with scripted_upstream() as server:
        first, *rest = stream_reply(*chat_events("One", " two"))
        held = asyncio.Event()
        server.will([first, rest[0], held, *rest[1:]])
        port = free_port()
        file = FILE.format(port=port, admin=free_port(), upstream=server.port)
        with image.container(tmp_path, file + "drain_grace_seconds: 5\n") as container:
            await healthy(image, container)
            client = AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none")
            stream = await client.chat.completions.create(
                model="tiny", messages=HELLO, stream=True
            )
            container.signal(signal.SIGTERM)

            async def unready() -> bool:
                return container.run("turnout", "ready").returncode == 1

            await eventually(unready, bool, step=0.5)
            held.set()
            words = [chunk.choices[0].delta.content async for chunk in stream]
            assert "".join(word or "" for word in words) == "One two"
            assert await asyncio.to_thread(container.wait) == 0
            await client.close()
