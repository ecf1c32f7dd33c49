"""Read a built book as a browser would: `python docs/book/check.py book/html`.

Every page has to open without a network, with all its pictures, and every link within the book has
to lead somewhere.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parents[2]
LOADED = {"src", "srcset", "poster", "data"}


class Page(HTMLParser):
    """What a page loads, where it leads, and the names that others can lead to."""

    def __init__(self, text: str):
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.names: set[str] = set()
        self.pictures = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Sort a tag's addresses."""
        self.pictures += tag == "img"
        for key, value in attrs:
            if key in LOADED or (tag == "link" and key == "href"):
                self.loads.append(value or "")
            elif key == "href":
                self.leads.append(value or "")
            elif key == "style":
                self.loads += addresses(value or "")
            elif key == "id":
                self.names.add(value or "")

    def handle_data(self, data: str) -> None:
        """Find what a style sheet or script within the page would load."""
        if self.lasttag == "style":
            self.loads += addresses(data)
        elif self.lasttag == "script" and re.search(
            r"""(import|from|fetch)\W+["']?https?:""", data
        ):
            self.loads.append(data)


def addresses(style: str) -> list[str]:
    """What a style sheet loads."""
    return re.findall(r"""(?:url\(|@import)\s*["']?([^"')\s;]+)""", style)


def problems(book: Path) -> list[str]:
    """What a reader without a network would miss, one line each."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(book.rglob("*.html"))}
    found = [f"{path}: expected at least one page there" for path in [book] if not pages]
    for path, page in pages.items():
        for address in page.loads:
            target = (path.parent / unquote(urlsplit(address).path)).resolve()
            outside = urlsplit(address).netloc or address.startswith("http")
            if outside or (not address.startswith("data:") and not target.exists()):
                found.append(f"{path.name}: loads {address[:80]}")
        found += [f"{path.name}: leads to {a}" for a in page.leads if not leads(path, a, pages)]
    for sheet in book.rglob("*.css"):
        found += [f"{sheet.name}: loads {a}" for a in addresses(sheet.read_text()) if "//" in a[:8]]
    for lesson in sorted((ROOT / "notebooks" / "source").glob("[0-9]*.py")):
        page = pages.get(book / "notebooks" / f"{lesson.stem}.html")
        if page is None or page.pictures == 0:
            found.append(f"{lesson.stem}: expected a page with pictures")
    return found


def leads(path: Path, address: str, pages: dict[Path, Page]) -> bool:
    """Whether a link goes outside on purpose, or to something that is there."""
    parts = urlsplit(address)
    if parts.scheme:
        return True
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    named = not parts.fragment or target not in pages or parts.fragment in pages[target].names
    return target.exists() and named


def main() -> None:
    """Check the book that the command names."""
    book = Path(sys.argv[1]).resolve()
    found = problems(book)
    if found:
        raise SystemExit("\n".join(found))
    print(f"{book / 'index.html'}: the pages are whole and load nothing from elsewhere.")


if __name__ == "__main__":
    main()
