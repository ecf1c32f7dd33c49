"""Run the tests with the lowest and the newest allowed versions of all packages: `make ends`.

uv makes a virtual environment for each, with pip and setuptools, since some tests build a wheel.
"""

import argparse
import os
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
EXTRAS = ("corpus", "notebooks", "test", "workbook")
RESOLUTION = {"lowest": "lowest-direct", "newest": "highest"}


def requirements() -> list[Requirement]:
    """All packages that the tests need on this machine."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    texts = [*project["dependencies"], *(text for name in EXTRAS for text in extras[name])]
    known = [one for one in map(Requirement, texts) if one.name != "mer-core"]
    return [one for one in known if one.marker is None or one.marker.evaluate()]


def environment(end: str, folder: Path) -> Path:
    """Make a virtual environment; return its Python."""
    uv, python = folder / "uv" / "bin" / "uv", folder / end / "bin" / "python"
    if not uv.exists():
        run(sys.executable, "-m", "venv", folder / "uv")
        run(folder / "uv" / "bin" / "pip", "install", "--quiet", "uv")
    asked, found = folder / f"{end}.in", folder / f"{end}.txt"
    asked.write_text("\n".join(str(one).split(";")[0] for one in requirements()) + "\n")
    way = ["--resolution", RESOLUTION[end], "--python", sys.executable]
    run(uv, "pip", "compile", "--quiet", "--no-header", *way, asked, "--output-file", found)
    run(uv, "venv", "--quiet", "--clear", "--seed", "--python", sys.executable, folder / end)
    run(uv, "pip", "install", "--quiet", "--python", python, "--requirement", found)
    run(uv, "pip", "install", "--quiet", "--python", python, "--no-deps", "--editable", ROOT)
    return python


def run(*command: str | os.PathLike) -> None:
    subprocess.run(command, check=True)


def out_of_reach(python: Path) -> list[str]:
    found = dict(part.rsplit(" ", 1) for part in versions(python).split(", "))
    promised = {
        one.name: Version(part.version)
        for one in requirements()
        for part in one.specifier
        if part.operator == ">="
    }
    return [
        f"{name}>={low}, installed {found[name]}"
        for name, low in promised.items()
        if Version(found[name]) != low
    ]


def versions(python: Path) -> str:
    names = sorted(one.name for one in requirements())
    code = "import sys; from importlib.metadata import version as v; "
    code += "print(', '.join(f'{n} {v(n)}' for n in sys.argv[1:]))"
    return subprocess.check_output([python, "-c", code, *names], text=True).strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / ".ends")
    parser.add_argument("--only", choices=("lowest", "newest"))
    parser.add_argument("tests", nargs="*", help="as for pytest; all by default")
    (chosen, more), failed = parser.parse_known_args(), []
    for end in [chosen.only] if chosen.only else ["lowest", "newest"]:
        chosen.folder.mkdir(exist_ok=True)
        python = environment(end, chosen.folder.resolve())
        print(f"{end}: {versions(python)}", flush=True)
        if end == "lowest":
            print("out of reach:", out_of_reach(python) or "no bound", flush=True)
        tests = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen.tests, *more]
        done = subprocess.run(tests, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"})
        failed += [end] * (done.returncode != 0)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
