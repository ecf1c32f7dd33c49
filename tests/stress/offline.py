"""Run the tests and every notebook in a network namespace with loopback only: `make offline`.

Needs Linux and the right to make a namespace.
"""

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
    shell = ["sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    return ["unshare", "--map-root-user", "--net", *shell, *map(os.fspath, command)]


def reason() -> str | None:
    if not all(map(shutil.which, ("unshare", "ip"))):
        return "needs unshare and ip (Linux: util-linux, iproute2)"
    probe = subprocess.run(inside(sys.executable, "-c", PROBE), capture_output=True, text=True)
    return f"no namespace: {probe.stderr.strip()[-200:]}" if probe.returncode else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", help="for pytest; default: tests, then notebooks")
    parser.epilog = "Other options are pytest's, such as -n2."
    (chosen, more), why = parser.parse_known_args(), reason()
    if why:
        sys.exit(why)
    notebooks = sorted((ROOT / "notebooks").rglob("[0-9]*.ipynb"))
    runs = [more, ["--nbmake", "--nbmake-timeout=600", *notebooks, *more]]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("MER_DATA", None)
    codes = []
    for arguments in [[*chosen.what, *more]] if chosen.what else runs:
        command = inside(sys.executable, "-m", "pytest", "-q", *arguments)
        codes.append(subprocess.run(command, cwd=ROOT, env=environment).returncode)
    sys.exit(max(codes))


if __name__ == "__main__":
    main()
