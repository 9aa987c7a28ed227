from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from ordergate.surfaces.console.markup import Html, joined, tag


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_text_becomes_markup_and_none_is_lost(words: str, value: str) -> None:
    html = tag("p", words, title=value)
    seen = read(html)
    assert [name for name, _ in seen.tags] == ["p"]
    assert html.count("<") == html.count(">") == 2
    assert html.count('"') == 2
    assert seen.text == words


def test_what_was_built_here_is_not_escaped_again() -> None:
    assert tag("p", tag("b", "a & b"), [" and ", None, Html("<i>c</i>")]) == (
        "<p><b>a &amp; b</b> and <i>c</i></p>"
    )
    assert joined(["<", tag("input", name="n", required=True, value=None)]) == (
        '&lt;<input name="n" required>'
    )


def test_attribute_names_are_pythons_with_dashes() -> None:
    assert tag("meta", http_equiv="refresh", class_="x") == '<meta http-equiv="refresh" class="x">'
