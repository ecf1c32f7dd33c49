"""Every notebook and the tests in a network namespace that has nothing but loopback.

    make offline

What would reach for the network fails here. Needs Linux and the right to make a namespace.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROBE = (
    "import socket;"
    "socket.create_server(('127.0.0.1', 0)).close();"
    "s = socket.socket(); s.settimeout(3);"
    "code = s.connect_ex(('1.1.1.1', 443)); assert code, 'the network is there'"
)


def inside(*command: str | os.PathLike) -> list[str]:
    """The command that runs another in a namespace of its own, loopback up."""
    script = 'ip link set lo up && exec "$@"'
    return [
        "unshare",
        "--map-root-user",
        "--net",
        "sh",
        "-c",
        script,
        "sh",
        *map(os.fspath, command),
    ]


def reason() -> str | None:
    """Why that can't be done here."""
    if not all(map(shutil.which, ("unshare", "ip"))):
        return "needs unshare and ip (Linux: util-linux, iproute2)"
    probe = subprocess.run(inside(sys.executable, "-c", PROBE), capture_output=True, text=True)
    return (
        f"no namespace can be made here: {probe.stderr.strip()[-200:]}"
        if probe.returncode
        else None
    )


def main() -> None:
    """Run all inside, or what is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "what", nargs="*", help="as for pytest; by default the tests, then all notebooks"
    )
    (chosen, more), why = parser.parse_known_args(), reason()
    if why:
        sys.exit(why)
    notebooks = sorted((ROOT / "notebooks").rglob("[0-9]*.ipynb"))
    book = ["--nbmake", "--nbmake-timeout=600", *notebooks]
    environment = {k: v for k, v in os.environ.items() if k != "MER_DATA"} | {
        "OMP_NUM_THREADS": "1"
    }
    codes = [
        subprocess.run(
            inside(sys.executable, "-m", "pytest", "-q", *some), cwd=ROOT, env=environment
        ).returncode
        for some in ([[*chosen.what, *more]] if chosen.what else [[], book])
    ]
    sys.exit(max(codes))


if __name__ == "__main__":
    main()
