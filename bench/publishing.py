"""Writes figures into the files that people read, between markers, so that no hand touches them.

Run it with ``python bench/publishing.py`` after ``make bench``.
"""

import sys
from pathlib import Path

from bench.figures import Figures, FiguresError, load, save
from bench.run import OUT, is_complete
from bench.tables import details, summary
from folkmoot.files import write_atomically
from folkmoot.settings import CHECKOUT
from governance.errors import FolkmootError

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


def main() -> int:
    """Publish what the last ``make bench`` measured."""
    try:
        figures = load(OUT)
        if not is_complete(figures):
            raise FiguresError(f"{OUT} lacks parts; `make bench` goes on from there")
        publish(figures)
    except FolkmootError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{README}, {PAGE} and {COMMITTED} hold the figures of commit {figures.commit}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
