"""Parts that are real: a llama.cpp server, run once for the whole session."""

import importlib.util
from collections.abc import Iterator

import pytest

from tests.support.model_server import ModelServer, model_server
from tests.support.programs import RunningTurnout, running_turnout


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    """A real llama.cpp server; what needs it is skipped where xllamacpp is missing."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp is not installed: no real llama.cpp server")
    from tests.support.model_file import write_model  # noqa: PLC0415  # gguf comes with it

    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    write_model(path)
    with model_server(path) as server:
        yield server


CONFIG = """\
upstreams:
  llama: {{base_url: "{url}/v1"}}
routes:
  tiny:
    variants: {{only: {{upstream: llama, model: tiny}}}}
default_upstream: llama
"""


@pytest.fixture(scope="session")
def turnout(
    llama: ModelServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningTurnout]:
    """turnout as its users run it, before the real llama.cpp server."""
    config = CONFIG.format(url=llama.url)
    with running_turnout(tmp_path_factory.mktemp("turnout"), config) as running:
        yield running


@pytest.fixture(params=["directly", "through turnout"])
def door(request: pytest.FixtureRequest, llama: ModelServer) -> str:
    """Where the client knocks: what holds at the one door must hold at the other."""
    if request.param == "directly":
        return llama.url
    turnout: RunningTurnout = request.getfixturevalue("turnout")
    return turnout.url
