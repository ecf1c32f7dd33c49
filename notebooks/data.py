"""Print the corpus that MER_DATA names, "mini" or an absolute path, and stop if it is not there.

For the Makefile: kernels run in other folders, where a relative path would mean something else.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mer_core.datasets.deam import chosen_data
from mer_core.datasets.layout import find_folder
from mer_core.files import DataError


def main() -> None:
    """Print the corpus or an error."""
    data = chosen_data()
    if data != "mini" and find_folder(Path(data), "annotations") is None:
        found = "a folder without it" if Path(data).is_dir() else f"no folder {data!r}"
        wanted = "a folder with DEAM's `annotations` in it, or mini"
        sys.exit(f"error: {DataError('MER_DATA', wanted, found)}")
    print(data)


if __name__ == "__main__":
    main()
