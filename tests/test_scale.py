"""The page of a million songs says what its constants give."""

import pytest

from bench import scale


def test_the_page_follows_from_the_constants_in_it():
    text = scale.PAGE.read_text()
    assert text == scale.page(scale.constants(text))


def test_the_arithmetic():
    totals = {0.1: "27.8 hours", 1.0: "11.6 days", 1e-6: "1 s"}
    assert {seconds: scale.of_time(seconds)[1] for seconds in totals} == totals
    assert scale.of_space(2_000) == ("2 kB", "2 GB")


def test_the_search_that_is_timed_finds_the_nearest(monkeypatch):
    found = []
    monkeypatch.setattr(scale, "cpu", lambda function, **_: found.append(function()) or 1.0)
    assert scale.of_search()["search_s"] == pytest.approx(1e-5)
    assert 7 in found[0]
