"""The scores and claims of five papers (docs/papers.md) as data, and our results beside them."""

from workbook.papers.comparison import board, compare
from workbook.papers.tables import claims, comparisons, published, systems
from workbook.papers.verdicts import (
    DATA,
    judge,
    stored_verdicts,
    verdict_list,
    verdict_table,
    verdicts,
)

__all__ = [
    "DATA",
    "board",
    "claims",
    "compare",
    "comparisons",
    "judge",
    "published",
    "stored_verdicts",
    "systems",
    "verdict_list",
    "verdict_table",
    "verdicts",
]
