"""A test whose part is missing is skipped on a developer's machine, and fails in CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.frame.source import ROOT

ONE_TEST = "import pytest\n@pytest.mark.skipif(True, reason='no nginx')\ndef test_it(): ..."
WHOLE_FILE = "import pytest\npytest.skip('no nginx', allow_module_level=True)"


def run(folder: Path, source: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    outside = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run(
        [*command, "-c", os.devnull, "--rootdir", str(folder), "-rs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=outside | environment | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        timeout=60,
    )


@pytest.mark.parametrize("source", [ONE_TEST, WHOLE_FILE])
def test_what_is_missing_is_told_here_and_a_failure_in_ci(tmp_path: Path, source: str) -> None:
    here = run(tmp_path, source)
    assert "no nginx" in here.stdout
    assert here.returncode in (0, 5), here.stdout  # 5: nothing was left to run
    in_ci = run(tmp_path, source, CI="true")
    assert "In CI no test may be skipped. Skipped: no nginx" in in_ci.stdout
    assert in_ci.returncode in (1, 2), in_ci.stdout
