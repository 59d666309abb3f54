"""Writes figures into the files that people read, between markers, so that no hand touches them."""

from pathlib import Path

from bench.figures import Figures, FiguresError, save
from bench.tables import details, summary
from folkmoot.files import write_atomically
from folkmoot.settings import CHECKOUT

COMMITTED = CHECKOUT / "bench" / "figures.json"
README = CHECKOUT / "README.md"
PAGE = CHECKOUT / "docs" / "figures.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"


def publish(figures: Figures) -> None:
    """Write the figures, the README's section and the page of details."""
    text = with_section(README.read_text(encoding="utf-8"), summary(figures))
    save(COMMITTED, figures)
    write_atomically(README, text)
    write_atomically(PAGE, details(figures))


def with_section(text: str, section: str) -> str:
    """Return the text with the section between its markers.

    Raises
    ------
    FiguresError
        If the text has no opening marker.
    """
    before, found, after = text.partition(BEGIN)
    if not found:
        raise FiguresError(f"there is no {BEGIN} in README.md; put it where the figures belong")
    rest = after.partition(END)[2] if END in after else after
    return f"{before}{BEGIN}\n\n{section}\n{END}{rest}"


def section_of(path: Path) -> str:
    """Return what stands between the markers of a file."""
    return path.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip("\n") + "\n"
