"""Text to lark's tree, and lark's complaints to ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal, TypeAlias

from trackwire_server.search.errors import SearchSyntaxError, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lark import Lark, Token, Tree, UnexpectedInput

Start: TypeAlias = Literal["filter", "order_clause"]

FOUND_PATTERN = re.compile(r"[\w./-]+|<=|>=|<>|!=|==|.", re.DOTALL)
QUOTED_PATTERN = re.compile(r"""`(?:[^`]|``)*+`|"(?:[^"]|"")*+"|'(?:[^']|'')*+'""")
END = "$END"
QUOTES = ("'", '"', "`")
# What may stand somewhere, by the terminals that the parser accepts there; the first that fits speaks for its state.
EXPECTATIONS = (
    ({"COMPARATOR"}, "an operator (=, !=, <, <=, >, >=, LIKE, ILIKE, IN or IS NULL)"),
    ({"BARE", "RPAR"}, "a value or ')'"),
    ({"BARE"}, "a value"),
    ({"NAME", "NOT"}, "a comparison, NOT or '('"),
    ({"NAME"}, "a field"),
    ({"NULL", "NOT"}, "NULL or NOT NULL"),
    ({"NULL"}, "NULL"),
    ({"LIKE"}, "LIKE, ILIKE or IN"),
    ({"_COMMA"}, "',' or ')'"),
    ({"_AND", "RPAR"}, "AND, OR or ')'"),
    ({"_AND"}, "AND, OR or the end"),
    ({"DIRECTION"}, "ASC, DESC or the end"),
    ({"LPAR"}, "'(' and a list of values"),
    ({"RPAR"}, "')'"),
    ({END}, "the end"),
)


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the text stopped being grammatical, and what had been read until there: it may be wrong even earlier."""

    error: SearchSyntaxError
    comparisons: Sequence[Tree[Token]]
    unfinished: Sequence[Token]


def parse_text(text: str, start: Start) -> Tree[Token] | Stop:
    """LALR with one token of lookahead: linear in `text`, and without recursion however deep it nests."""
    from lark import UnexpectedInput

    parser = _lark().parse_interactive(text, start=start)
    try:
        tree: Tree[Token] = parser.resume_parse()  # type: ignore[no-untyped-call]  # lark has no annotation here
    except UnexpectedInput as error:
        accepted: set[str] = parser.accepts()  # type: ignore[no-untyped-call]  # nor here
        return _stop(text, _position(text, error), accepted, parser.parser_state.value_stack)
    return tree


@cache
def _lark() -> Lark:
    from lark import Lark

    grammar = resources.files(__package__).joinpath("filter.lark").read_text(encoding="utf-8")
    starts: list[Start] = ["filter", "order_clause"]
    return Lark(grammar, parser="lalr", lexer="contextual", start=starts, maybe_placeholders=False)


def _position(text: str, error: UnexpectedInput) -> int:
    from lark import UnexpectedToken

    if isinstance(error, UnexpectedToken):
        return len(text.rstrip()) if error.token.type == END else token_position(error.token)
    return error.pos_in_stream or 0


def _stop(text: str, position: int, accepted: set[str], read: Sequence[Tree[Token] | Token]) -> Stop:
    from lark import Token, Tree

    trees = (item for item in read if isinstance(item, Tree))
    comparisons = [part for tree in trees for part in _subtrees(tree) if part.data == "comparison"]
    tokens = [item for item in read if isinstance(item, Token)]
    opened = next((token for token in reversed(tokens) if token.type == "LPAR"), None)
    unfinished = tokens[next((i for i, token in enumerate(tokens) if token.type == "NAME"), len(tokens)) :]
    if text[position : position + 1] in QUOTES and unfinished[-1:] == unfinished[:1]:
        # A key that opens with a stray quote has only half its name.
        unfinished = []
    error = SearchSyntaxError(text, position + 1, _reason(text, position, accepted, opened))
    return Stop(error, comparisons, unfinished)


def _reason(text: str, position: int, accepted: set[str], opened: Token | None) -> str:
    expected = next((words for terminals, words in EXPECTATIONS if terminals <= accepted), "something else")
    if position >= len(text.rstrip()):
        unclosed = ""
        if opened is not None and "RPAR" in accepted:
            unclosed = f": the '(' at column {token_position(opened) + 1} is never closed"
        return f"the text ends where {expected} is expected{unclosed}"
    found = FOUND_PATTERN.match(text, position)
    shown = shorten(found.group()) if found else ""
    if shown in QUOTES and QUOTED_PATTERN.match(text, position) is None:
        return f"the {shown} that opens here is never closed"
    if shown == "`" and "BARE" in accepted:
        return "found a backtick, which quotes keys, where a value is expected: text stands in ' or \""
    if shown == ")" and END in accepted:
        return "found ')', which closes no '('"
    if shown == ")" and "BARE" in accepted:
        return "found ')' where a value is expected: an IN list holds at least one"
    return f"found {shown!r} where {expected} is expected"


def token_position(token: Token) -> int:
    """Counted from 0; lark leaves it out only of tokens made by hand."""
    return token.start_pos or 0


def _subtrees(tree: Tree[Token]) -> Iterator[Tree[Token]]:
    return tree.iter_subtrees_topdown()  # type: ignore[no-untyped-call,no-any-return]  # nor here
