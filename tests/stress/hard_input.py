"""Ten thousand generated inputs for every reader, each read or refused in words: `make stress`.

Anything else fails: another exception, a warning of another kind, more than 20 s for one input,
more than 4 GiB of memory.
"""

import argparse
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1]))

from strategies import READERS, Refused, outcome

MEMORY = 4 * 2**30
WITHOUT_LIMITS = {
    "database": None,
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
}


def tried(
    name: str, *, number: int = 0, done: Callable[[], object] = int, **options: object
) -> Counter:
    """Give generated inputs to a reader; count how many it read and how many it refused."""
    met, reader = Counter(), READERS[name]

    @seed(number)
    @settings(**WITHOUT_LIMITS, **options)
    @given(reader.inputs)
    def read(given: object) -> None:
        with tempfile.TemporaryDirectory() as folder:
            refused = type(outcome(reader, Path(folder), given)) is Refused
        met["refused" if refused else "read"] += 1
        done()

    read()
    return met


def main() -> None:
    import resource

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("readers", nargs="*", help=f"of {', '.join(READERS)}; all by default")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    options = {"max_examples": chosen.count, "phases": [Phase.generate, Phase.shrink]}
    failed = []
    for name in chosen.readers or READERS:
        start = time.perf_counter()
        try:
            with tqdm(total=chosen.count, desc=name, mininterval=2) as bar:
                met = tried(name, done=bar.update, number=chosen.seed, **options)
        except Exception:  # the other readers are tested all the same
            traceback.print_exc()
            failed.append(name)
            continue
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"{name}: {met.total()} inputs, {met['read']} read, {met['refused']} refused in words, "
            f"nothing else; {time.perf_counter() - start:.0f} s, {peak:.1f} GiB at most so far",
            flush=True,
        )
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
