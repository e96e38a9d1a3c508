import subprocess
import sys
import time

import pytest

from bench.machine import cpu_seconds, family, memory_bytes, python_build

GRANDPARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "print('up', flush=True); input()"])
child.wait()
"""


def test_a_family_is_a_process_with_all_its_descendants() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", GRANDPARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        found = family(process.pid)
        process.stdin.close()
        assert process.pid in found
        assert len(found) == 2


def test_cpu_time_and_memory_of_what_has_gone_are_nothing() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert cpu_seconds({gone.pid}) == 0.0
    assert memory_bytes({gone.pid}) == 0


@pytest.mark.alone
def test_cpu_time_counts_work() -> None:
    code = "s = 0\nfor i in range(3_000_000): s += i\nprint('done', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        started = time.monotonic()
        process.stdout.readline()
        elapsed = time.monotonic() - started
        used = cpu_seconds({process.pid})
        assert memory_bytes({process.pid}) > 1_000_000
        process.stdin.close()
    assert 0.02 < used <= elapsed + 0.05


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"CONFIG_ARGS": "'--enable-optimizations' '--with-lto'"}, "PGO, LTO"),
        ({"CONFIG_ARGS": None, "PY_CFLAGS_NODIST": "-O3 -flto=auto"}, "LTO"),
        ({"CONFIG_ARGS": "'--prefix=/usr'"}, "its build flags name neither PGO nor LTO"),
    ],
)
def test_it_is_said_how_python_was_built(config: dict[str, str | None], said: str) -> None:
    assert python_build(config) == said
