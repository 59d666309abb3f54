"""Asks a person about one field of a mandate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from folkmoot.options import say

if TYPE_CHECKING:
    from agents.advice.mandate_draft import Question


def ask(question: Question) -> str:
    """Show a field and where its suggestion comes from, and return the person's answer.

    Enter takes the suggestion; a dash leaves the field empty.
    """
    if question.problem:
        say(f"  that cannot be taken: {question.problem}")
    origin = f" ({question.source})" if question.suggestion else ""
    answer = str(typer.prompt(f"{question.prompt}{origin}", default=question.suggestion, show_default=True))
    return "" if answer.strip() == "-" else answer.strip()
