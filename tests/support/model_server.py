"""A real llama.cpp OpenAI server in a process of its own, on the model of `model_file`.

`python -m tests.support.model_server MODEL` serves until its standard input is closed, so that
it can't outlive the tests, whatever becomes of them. It knows nothing of turnout.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODEL = "tiny"
SECONDS_TO_END = 10


@dataclass(frozen=True)
class ModelServer:
    """A running server; `url` has no path, its API stands below /v1."""

    url: str
    pid: int


@contextmanager
def model_server(model: Path) -> Iterator[ModelServer]:
    """Run a server on `model`, on a free port, until the block ends."""
    command = [sys.executable, "-m", "tests.support.model_server", str(model)]
    pipe = subprocess.PIPE
    with (
        model.with_suffix(".log").open("w") as log,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line.startswith("http://"):
                raise RuntimeError(f"llama.cpp did not start; see {log.name}")
            yield ModelServer(url=line.strip(), pid=process.pid)
        finally:
            process.stdin.close()
            try:
                process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()


def serve(model: str) -> None:
    """Serve `model` until standard input ends; the first line printed is the address."""
    import xllamacpp  # noqa: PLC0415  # heavy, and only this process needs it

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.model_alias = {MODEL}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = 4 * 2048
    params.n_parallel = 4
    params.n_predict = 32
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)  # noqa: T201  # it is what the parent reads
    sys.stdin.read()


if __name__ == "__main__":
    serve(sys.argv[1])
