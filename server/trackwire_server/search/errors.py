"""The one error of the language."""

from __future__ import annotations

WINDOW_BEFORE_CHARACTERS = 60
WINDOW_AFTER_CHARACTERS = 40


class SearchSyntaxError(ValueError):
    """`column` counts characters of `text` from 1; one past the end means that the text stopped too early."""

    def __init__(self, text: str, column: int, reason: str) -> None:
        super().__init__(text, column, reason)
        self.text = text
        self.column = column
        self.reason = reason

    def __str__(self) -> str:
        start = max(0, self.column - 1 - WINDOW_BEFORE_CHARACTERS)
        end = min(len(self.text), self.column - 1 + WINDOW_AFTER_CHARACTERS)
        shown = _on_one_line(self.text[start:end])
        before, after = "…" * (start > 0), "…" * (end < len(self.text))
        indent = " " * (len(before) + self.column - 1 - start)
        return f"{self.reason} (column {self.column})\n  {before}{shown}{after}\n  {indent}^"


def shorten(text: str, *, characters_max: int = 60) -> str:
    """`text` as it may stand in a one-line reason."""
    return _on_one_line(text if len(text) <= characters_max else text[: characters_max - 1] + "…")


def _on_one_line(text: str) -> str:
    # A line break or tab in the filter would part the caret from what it points at.
    return "".join(character if character.isprintable() else " " for character in text)
