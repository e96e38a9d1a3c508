"""Parts that are real: a llama.cpp server, run once for the whole session."""

import importlib.util
import os
from collections.abc import Iterator

import pytest

from tests.support.model_server import ModelServer, model_server


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    """A real llama.cpp server; skipped where xllamacpp is missing, which CI may not do."""
    if importlib.util.find_spec("xllamacpp") is None:
        reason = "xllamacpp is not installed: no real llama.cpp server"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    from tests.support.model_file import write_model  # noqa: PLC0415  # gguf comes with it

    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    write_model(path)
    with model_server(path) as server:
        yield server


@pytest.fixture
def door(llama: ModelServer) -> str:
    """Where the client knocks."""
    return llama.url
