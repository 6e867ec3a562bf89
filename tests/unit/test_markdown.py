"""Tables in Markdown: what is written is what is read, also by a renderer."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from iopsim.report.markdown import escaped, table

RENDERER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def read_back(text: str) -> tuple[list[list[str]], list[str]]:
    """Cells and alignments of the one table in a page, as a renderer shows them."""
    rows: list[list[str]] = []
    sides: list[str] = []
    tokens = RENDERER.parse(text)
    assert {tokens[0].type, tokens[-1].type} == {"table_open", "table_close"}
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "th_open":
            sides.append(str(token.attrs.get("style", "")).removeprefix("text-align:"))
        elif token.type == "inline":
            parts = token.children or []
            assert {part.type for part in parts} <= {"text", "text_special"}, token.content
            rows[-1].append("".join(part.content for part in parts))
    return rows, sides


def test_a_table_reads_well_as_plain_text() -> None:
    rows = [("iop.wait_days.p90", 15.4, "14.4 to 16.7", "missed"), ("iop.census.mean", 9, None, "met")]
    assert table(["metric", "estimate", "interval", ""], rows) == (
        "| metric            | estimate |     interval |        |\n"
        "| ----------------- | -------: | -----------: | ------ |\n"
        "| iop.wait_days.p90 |     15.4 | 14.4 to 16.7 | missed |\n"
        "| iop.census.mean   |        9 |              | met    |"
    )


def test_numbers_stand_to_the_right_and_words_to_the_left() -> None:
    columns = {
        "integers": (1, -20),
        "shares": ("94.3 %", "10 %"),
        "money": ("-132,558", "356,923"),
        "signed": ("+1.5", "–"),
        "intervals": ("93.7 % to 95.0 %", ""),
        "floats": (1e-07, float("nan")),
        "words": ("12 seats", "3"),
        "names": ("plan", "4"),
        "nothing": ("", None),
    }
    page = table(list(columns), zip(*columns.values(), strict=True))
    sides = dict(zip(columns, read_back(page)[1], strict=True))
    assert [name for name, side in sides.items() if side == "right"] == list(columns)[:6]
    assert [name for name, side in sides.items() if not side] == list(columns)[6:]


def test_the_caller_may_say_where_columns_stand() -> None:
    page = table(["a", "b", "c", "d"], [[1, "x", "y", 2]], "lcr")
    assert page.splitlines()[1] == "| --- | :-: | --: | --: |"
    assert read_back(page)[1] == ["", "center", "right", "right"]


def test_a_table_may_have_no_rows() -> None:
    assert read_back(table(["plan", "cost"], [])) == ([["plan", "cost"]], ["", ""])


@pytest.mark.parametrize(("row", "align"), [(["x"], ""), (["x", "y", "z"], ""), (["x", "y"], "lrl")])
def test_a_ragged_table_is_refused(row: list[str], align: str) -> None:
    with pytest.raises(ValueError, match="zip"):
        table(["a", "b"], [row], align)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1))
@example(["a|b", r"a\|b", "`code`", "<b>bold</b>", "&amp;", "**x**", "_x_", "[x](y)", "~~x~~", "a\nb", "\\"])
@example(
    ["![x](y)", "<!-- x -->", "<http://x.org>", "&#42;", "``", "snake_case_name", "__x__", "[x]: y", "*"]
)
def test_what_is_written_is_what_a_renderer_shows(cells: list[str]) -> None:
    page = table(["title"] * len(cells), [cells])
    assert len(page.splitlines()) == 3
    assert read_back(page)[0][1] == [" ".join(cell.split()) for cell in cells]


def test_names_of_metrics_are_left_as_they_are() -> None:
    assert escaped("iop.wait_days.p90") == "iop.wait_days.p90"
    assert escaped("$5 to $6") == r"\$5 to \$6"
