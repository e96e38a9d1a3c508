"""Reverse proxies in front of a turnout, each on its example of deploy/.

Only what must differ on a test's machine is replaced: ports, names, certificates. What is to be
replaced and is not there is an error, so that the example and this can't part.
"""

import asyncio
import os
import shutil
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.frame.source import ROOT
from tests.support.certificates import Certificates
from tests.support.patience import eventually
from tests.support.programs import free_port

SECONDS_TO_END = 10

NGINX = """\
daemon off;
{user}
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/turnout.conf;
}}
"""
CADDY = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"


def replaced(example: str, changes: dict[str, str]) -> str:
    """Return an example of deploy/ with each of these strings replaced; it has each once."""
    text = (ROOT / "deploy" / example).read_text(encoding="utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1, f"{example}: {old!r}"
        text = text.replace(old, new)
    return text


def _nginx(folder: Path, port: int, turnout: int, certificates: Certificates) -> list[str]:
    changes = {
        "server 127.0.0.1:8000;": f"server 127.0.0.1:{turnout};",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "listen [::]:443 ssl;": "",
        "server_name llm.example.com;": "server_name localhost;",
        "/etc/ssl/llm.example.com.pem": certificates.certificate,
        "/etc/ssl/private/llm.example.com.key": certificates.key,
    }
    (folder / "turnout.conf").write_text(replaced("nginx.conf", changes), encoding="utf-8")
    user = "user root;" if os.geteuid() == 0 else ""  # others can't enter a test's folder
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, user=user), encoding="utf-8")
    return ["nginx", "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def _caddy(folder: Path, port: int, turnout: int, certificates: Certificates) -> list[str]:
    tls = f"\ttls {certificates.certificate} {certificates.key}\n"
    changes = {
        "\nllm.example.com {\n": f"\nhttps://localhost:{port} {{\n{tls}",
        "127.0.0.1:8000": f"127.0.0.1:{turnout}",
    }
    file = folder / "Caddyfile"
    file.write_text(CADDY + replaced("Caddyfile", changes), encoding="utf-8")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(file)]


COMMANDS = {"nginx": _nginx, "caddy": _caddy}


@asynccontextmanager
async def front(
    program: str, folder: Path, turnout: int, certificates: Certificates
) -> AsyncIterator[str]:
    """Run a reverse proxy before the turnout on a port; yields its URL."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    port = free_port()
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / f"{program}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *COMMANDS[program](folder, port, turnout, certificates),
            stdin=PIPE,
            stdout=log,
            stderr=log,
            env={**os.environ, **home},
        )

    async def open_port() -> bool:
        assert process.returncode is None, (folder / f"{program}.log").read_text()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return True

    try:
        await eventually(open_port, bool)
        yield f"https://localhost:{port}"
    finally:
        with suppress(ProcessLookupError):  # it ended by itself
            process.terminate()
        async with asyncio.timeout(SECONDS_TO_END):
            await process.wait()
