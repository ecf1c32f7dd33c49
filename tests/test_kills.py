"""A few kills of every kind of writing; `make stress` has the long run."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from conftest import ROOT


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_while_writing_leaves_the_old_file_or_the_new_one():
    script = [sys.executable, "-W", "ignore", ROOT / "tests" / "stress" / "writers.py"]
    run = subprocess.run([*script, "--kills", "3"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.count("3 kills, a whole version after each") == 10
