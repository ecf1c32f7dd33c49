"""A Dask cluster on this machine: a scheduler and workers, each a process of its own."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from distributed import Client


@contextlib.contextmanager
def cluster(workers: int = 2) -> Iterator[Client]:
    """Start it on loopback, one thread a worker; ended with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    here = ["--host", "127.0.0.1", "--no-dashboard"]
    worker = ["worker", f"tcp://127.0.0.1:{port}", "--nthreads", "1", "--no-nanny", *here]
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        for command in (["scheduler", "--port", port, *here], *[worker] * workers):
            run = subprocess.Popen(
                [sys.executable, "-m", "dask", *command],
                env=os.environ | {"PYTHONPATH": _path(), "OMP_NUM_THREADS": "1"},
                cwd=folder,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(run.wait)
            stack.callback(run.terminate)
        client = stack.enter_context(Client(f"tcp://127.0.0.1:{port}", timeout="60s"))
        client.wait_for_workers(workers, timeout=60)
        yield client


def _path() -> str:
    tests = Path(__file__).parent
    more = os.environ.get("PYTHONPATH")
    return os.pathsep.join(filter(None, [str(tests), str(tests.parent), more]))
