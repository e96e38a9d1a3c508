"""Both loops: what holds on asyncio's must hold on uvloop's."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

from tests.support.certificates import Certificates, make_certificates


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))
