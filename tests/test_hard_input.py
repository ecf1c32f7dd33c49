"""A bounded sample of hard input for every reader; `make stress` has the long run."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from strategies import READERS, Refused, outcome

QUICK = settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("name", READERS)
def test_hard_input_is_read_or_refused_in_words(name):
    met = set()

    @QUICK
    @given(READERS[name].inputs)
    def read(given: object) -> None:
        with tempfile.TemporaryDirectory() as folder:
            met.add(type(outcome(READERS[name], Path(folder), given)) is Refused)

    read()
    assert met >= {False}, "some input is sound"
