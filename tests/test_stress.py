"""Short runs of the stress scripts; `make stress` has the long ones."""

import os
import subprocess
import sys

import pytest

from conftest import ROOT
from strategies import READERS
from stress.hard_input import tried
from stress.mutations import FAULTS, QUICK, caught


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_while_writing_leaves_the_old_file_or_the_new_one():
    script = [sys.executable, "-W", "ignore", ROOT / "tests" / "stress" / "writers.py"]
    run = subprocess.run([*script, "--kills", "3"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.count("3 kills, a whole version after each") == 10


@pytest.mark.parametrize("name", READERS)
def test_hard_input_is_read_or_refused_in_words(name):
    assert tried(name, max_examples=40, derandomize=True)["read"], "some input is sound"


@pytest.mark.parametrize("fault", [FAULTS[k] for k in QUICK], ids=lambda fault: fault.old)
def test_a_planted_fault_is_caught(fault):
    assert caught(fault)


def test_without_a_fault_nothing_is_caught():
    fault = FAULTS[QUICK[-1]]
    assert not caught(fault._replace(new=fault.old))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.old)
def test_every_fault_has_its_place_in_the_source(fault):
    assert fault.old in (ROOT / fault.path).read_text()
