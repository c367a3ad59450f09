from __future__ import annotations

from goldenthread.reports.markup import SYNTHETIC, Column, scrolled, share_bar, table, tile

NAME = Column("Name", lambda row: str(row["name"]), figure=False)
MADE = Column(
    "Made", lambda row: str(row["made"]), signed=True, share=lambda row: row["share"], hint='"net"'
)


def test_texts_and_figures_are_both_escaped() -> None:
    page = table([NAME, MADE], [{"name": "<a>", "made": "-<b>", "share": None}], "")
    assert "&lt;a&gt;" in page
    assert "\u2212&lt;b&gt;" in page
    assert 'title="&quot;net&quot;"' in page
    assert "&lt;c&gt;" in tile("<c>", "<d>", "<e>")
    assert "<d>" not in tile("<c>", "<d>", "<e>")
    assert "<e>" not in tile("<c>", "<d>", "<e>")


def test_a_signed_figure_is_coloured_by_its_sign() -> None:
    rows = [{"name": "", "made": made, "share": None} for made in ("+1", "-1", "0")]
    page = table([MADE], rows, "")
    assert page.count('class="num gain"') == 1
    assert page.count('class="num loss"') == 1
    assert 'class="figure gain"' in tile("Net", "+$1", signed=True)
    assert 'class="figure"' in tile("Net", "+$1")


def test_bars_grow_from_the_middle_to_both_sides() -> None:
    page = table([MADE], [{"made": "", "share": 0.5}, {"made": "", "share": -1.0}], "")
    assert 'x="50.0" width="25.0"' in page
    assert 'x="0.0" width="50.0"' in page


def test_only_the_first_cell_of_a_synthetic_row_is_labelled() -> None:
    row = {"name": "BTC/USD", "made": "1", "share": None, "synthetic": True}
    assert f"BTC/USD {SYNTHETIC}</td>" in table([NAME, MADE], [row], "")
    assert table([NAME, MADE], [row], "").count(SYNTHETIC) == 1
    assert SYNTHETIC not in table([NAME], [{**row, "synthetic": False}], "")


def test_a_cell_leads_where_its_column_says_and_no_address_ends_early() -> None:
    linked = Column("Name", lambda row: row["name"], figure=False, link=lambda row: row["to"])
    page = table([linked], [{"name": "<a>", "to": '/x"><b>'}, {"name": "none", "to": ""}], "")
    assert '<td><a href="/x&quot;&gt;&lt;b&gt;">&lt;a&gt;</a></td>' in page
    assert "<td>none</td>" in page


def test_what_scrolls_takes_the_focus_itself_only_where_no_link_in_it_does() -> None:
    assert scrolled("<svg/>") == '<div class="scroll" tabindex="0"><svg/></div>'
    linked = '<a href="/x">x</a>'
    assert scrolled(linked) == f'<div class="scroll">{linked}</div>'
    assert table([NAME], [{"name": "a"}], "").startswith('<div class="scroll" tabindex="0"><table>')


def test_a_table_without_rows_is_a_sentence() -> None:
    assert table([NAME], [], "No <rows>.") == '<p class="note">No &lt;rows&gt;.</p>'


def test_shares_fill_the_bar_and_every_count_is_named() -> None:
    bar = share_bar({"traded": 3, "<refused>": 1, "expired": 0})
    assert 'class="slot1" style="width:75.000%"' in bar
    assert 'title="&lt;refused&gt;: 1 (25.0%)"' in bar
    assert "expired <b>0</b>" in bar
    assert 'class="slot3" style' not in bar
    assert "shares" not in share_bar({"traded": 0})
