import gzip
import pickle
from pathlib import Path

import pytest

from mer_core.files import DataError, read_table, written_atomically


def test_an_error_travels_between_processes():
    error = pickle.loads(pickle.dumps(DataError(Path("a.csv"), "this", "that")))
    assert str(error) == "a.csv: expected this, found that"


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with pytest.raises(RuntimeError), written_atomically(path) as part:
        part.write_text("half")
        assert part.suffix == ".txt"
        raise RuntimeError
    assert list(path.parent.iterdir()) == []
    with written_atomically(path) as part:
        part.write_text("old")
    with pytest.raises(RuntimeError), written_atomically(path) as part:
        part.write_text("new, but")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.txt"]


def test_a_table_without_an_index_is_numbered(tmp_path):
    (tmp_path / "a.csv").write_text("x; y\n1;2.5\n;3\n")
    table = read_table(tmp_path / "a.csv", index=None)
    assert table.index.tolist() == [1, 2]
    assert list(table) == ["x", "y"]
    assert table.isna().sum().sum() == 1


def test_a_packed_table_that_never_ends_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("mer_core.files.MOST_LETTERS", 1000)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"song_id,x\n" + b"1,1\n" * 999))
    with pytest.raises(
        DataError, match=r"a\.csv\.gz: expected .* at most 1000 letters, found more"
    ):
        read_table(tmp_path / "a.csv.gz", index="song_id")


def test_a_header_that_is_no_header_is_told(tmp_path):
    (tmp_path / "a.csv").write_text("song_id," + "x" * 200_000 + "\n1,1\n")
    expected = r"a\.csv: expected a CSV table separated by ',', found field larger .* in the header"
    with pytest.raises(DataError, match=expected):
        read_table(tmp_path / "a.csv", index="song_id")


def test_rows_far_shorter_than_a_long_header_are_read(tmp_path):
    """Pandas before 3.1 fails on these ("Buffer overflow caught"), as on DEAM's curves."""
    names = ",".join(["song_id", *(f"s{k}" for k in range(1200))])
    lengths = [1200 if k % 20 == 19 else 2 for k in range(2000)]
    rows = [f"{k}" + ",0.25" * length for k, length in enumerate(lengths)]
    (tmp_path / "curves.csv").write_text("\n".join([names, *rows, ""]))
    table = read_table(tmp_path / "curves.csv", index="song_id")
    assert list(table.notna().sum(axis=1)) == lengths
    assert (table.isna() | (table == 0.25)).all(axis=None)
