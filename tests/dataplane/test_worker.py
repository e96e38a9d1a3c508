"""The worker as a process; more of it is shown in tests/processes."""

import asyncio
import ssl
import sys
from asyncio.subprocess import DEVNULL
from pathlib import Path

from proxy.config.settings import Tls
from proxy.dataplane.worker import loop_factory, tls_context
from tests.support.certificates import make_certificates
from tests.support.data_plane import settings_of, upstream
from tests.support.scripted_upstream import scripted_upstream
from tests.support.whole import settings, whole_turnout


async def test_a_worker_serves_tls_where_it_has_a_certificate(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    tls = Tls(certificate=certificates.certificate, key=certificates.key)
    async with scripted_upstream() as server:
        plane = settings_of(
            upstreams=[upstream("u", server.port)],
            default_upstream="u",
            pass_unknown_models=True,
        )
        async with whole_turnout(settings(plane, tls=tls), tmp_path) as turnout:
            assert any(line.startswith("traffic on https://") for line in turnout.said)
            context = ssl.create_default_context(cafile=certificates.ca_file)
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", turnout.port, ssl=context, server_hostname="localhost"
            )
            writer.write(b"GET /v1/x HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
            assert b"200" in await asyncio.wait_for(reader.readline(), 10)
            await asyncio.wait_for(reader.read(), 10)
            writer.close()
            await writer.wait_closed()


def test_old_versions_of_tls_are_not_spoken(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    context = tls_context(Tls(certificate=certificates.certificate, key=certificates.key))
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


async def test_without_uvloop_it_runs_on_asyncios_own(tmp_path: Path) -> None:
    code = """
import sys
sys.modules["uvloop"] = None
from proxy.dataplane.worker import loop_factory
assert loop_factory() is None
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdin=DEVNULL)
    assert await asyncio.wait_for(process.wait(), 30) == 0
    assert loop_factory() is not None
