"""A folder with a configuration file, and `turnout` run inside it without a process of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from proxy.cli import main
from tests.support.administered import ADMIN
from tests.support.served_admin import ServedAdmin, served_admin

Run = Callable[..., Result]

GOOD = """\
upstreams:
  sim: {base_url: http://127.0.0.1:9000/v1, api_key: ${SIM_KEY:-k}}
routes:
  support:
    variants:
      base: {upstream: sim, model: big}
      ft-v2: {upstream: sim, model: small}
    split: {base: 90, ft-v2: 10}
    fallback: [base]
  by-key:
    variants: {base: {upstream: sim}}
    sticky: key
  by-chance:
    variants: {base: {upstream: sim}}
    sticky: request
admin: {listen: "127.0.0.1:1"}  # where nobody answers
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    ours = ("TURNOUT_CONFIG", "TURNOUT_DATA", "TURNOUT_ADMIN_URL", "TURNOUT_ADMIN_TOKEN")
    for name in (*ours, "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def file(folder: Path) -> Path:
    path = folder / "turnout.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


@pytest.fixture
def run(folder: Path) -> Run:
    """Run `turnout` with these words in the folder."""

    def run_words(*words: str, **environ: str) -> Result:
        result = CliRunner().invoke(main, words, env=environ, prog_name="turnout")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run_words


@pytest.fixture
def admin() -> Iterator[ServedAdmin]:
    """A running administration with two workers and two routes; nobody sees its log."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with served_admin() as served:
        yield served
    structlog.reset_defaults()


@pytest.fixture
def turnout(run: Run, admin: ServedAdmin) -> Run:
    """Run `turnout` with these words as an admin of that administration."""

    def run_there(*words: str, **environ: str) -> Result:
        there = {"TURNOUT_ADMIN_URL": admin.url, "TURNOUT_ADMIN_TOKEN": ADMIN}
        return run(*words, **{**there, **environ})

    return run_there
