"""A few faults planted where the tests have to see them; `make stress` plants all."""

from __future__ import annotations

import pytest

from stress.mutations import FAULTS, QUICK, ROOT, caught


@pytest.mark.parametrize("fault", [FAULTS[k] for k in QUICK], ids=lambda fault: fault.old)
def test_a_planted_fault_is_caught(fault):
    assert caught(fault)


def test_without_a_fault_nothing_is_caught():
    fault = FAULTS[QUICK[-1]]
    assert not caught(fault._replace(new=fault.old))


def test_every_fault_has_its_place_in_the_source():
    for fault in FAULTS:
        assert fault.old in (ROOT / "mer_core" / fault.path).read_text(), fault
