"""The page of `make app`: it listens on this machine alone and gives no file away."""

from __future__ import annotations

import http.client
import re
from pathlib import Path

import pytest

from browser import pages
from conftest import ROOT

FORBIDDEN = [
    "/voila/files/explore.ipynb",
    "/voila/files/voila.json",
    "/voila/files/../README.md",
    "/voila/files/%2e%2e/README.md",
    "/voila/files/..%2fREADME.md",
    "/voila/static/../../../../../../../etc/passwd",
    "/voila/templates/explorer/index.html.j2",
    "/voila/templates/../../voila.json",
    "/voila/labextensions/../../../pyvenv.cfg",
    "/voila/api/themes/..%2f..%2f..%2f..%2f..%2fpyvenv.cfg",
    "/explore.ipynb",
    "/../README.md",
    "/README.md",
    "/voila/tree",
    "/voila/render/explore.ipynb",
    "/api/contents",
    "/api/kernels",
    "/api/terminals",
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    recipe = re.search(r"(?m)^\t.* cd app && .* -m (voila .*)$", (ROOT / "Makefile").read_text())[1]
    command = [*recipe.split(), "--no-browser"]
    with pages.server(command, tmp_path_factory.mktemp("home"), folder=pages.APP) as url:
        yield int(url.rpartition(":")[2])


def get(port: int, path: str) -> http.client.HTTPResponse:
    """The answer to a path as it is (urllib would remove the dots), after redirections."""
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=pages.PATIENCE)
        connection.request("GET", path)
        answer = connection.getresponse()
        if answer.status != http.HTTPStatus.FOUND:
            return answer
        path = answer.getheader("Location")


@pytest.mark.parametrize("path", FORBIDDEN)
def test_no_file_is_given_away(address, path):
    answer = get(address, path)
    assert answer.status in (403, 404, 500), answer.status
    body = answer.read().decode()
    for text in ("root:", "# Music Emotion Workbook", "explore.Page", "file_allowlist", "home ="):
        assert text not in body


def test_no_other_address_of_this_machine_is_bound(address):
    listening = set()
    for name in ("tcp", "tcp6"):
        try:
            rows = Path(f"/proc/net/{name}").read_text().splitlines()[1:]
        except OSError:
            pytest.skip("needs /proc/net, which Linux has")
        listening |= {row.split()[1] for row in rows if row.split()[3] == "0A"}
    bound = {place for place in listening if place.endswith(f":{address:04X}")}
    assert bound == {f"0100007F:{address:04X}"}


def test_the_page_opens_and_asks_nobody_else(address):
    body = get(address, "/").read().decode()
    assert "Explore by emotion" in body
    assert "SYNTHETIC" in body
    assert "Traceback" not in body
    asked = re.findall(r'<(?:link|script)[^>]*(?:href|src)="(https?:[^"]*)"', body)
    assert not asked
