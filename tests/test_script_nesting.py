"""Places inside places: words made at random of quotes, substitutions and defaults, nested in each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shell_judge import SHELLS, VALUES, Judge, real_processes

LINES = 6


@dataclass(frozen=True)
class Part:
    """A piece of a word as it is written, and the text it stands for, in spans that split at blanks or do not."""

    written: str
    spans: tuple[tuple[str, bool], ...]

    def inside(self, written: str, *, after: str = "") -> Part:
        """The same between quotes, at the ``@``: there even when empty, and never split."""
        text = "".join(text for text, _ in self.spans) + after
        return Part(written.replace("@", self.written), ((text, False),))

    def in_backticks(self) -> Part:
        return Part(self.written.replace("\\", "\\\\").replace("`", "\\`"), self.spans)

    def words(self) -> list[str]:
        found: list[str] = []
        current: str | None = None
        for text, splits in self.spans:
            if not splits:
                current = (current or "") + text
                continue
            for char in text:
                if char not in " \t\n":
                    current = (current or "") + char
                elif current is not None:
                    found.append(current)
                    current = None
        return found if current is None else [*found, current]


class Writer:
    """Draws parts, and the values in them."""

    def __init__(self, data: st.DataObject, *, bash: bool) -> None:
        self._draw = data.draw
        self._bash = bash
        self._backticks = 0
        self.values: dict[str, str] = {}

    def word(self) -> Part:
        return self._several(lambda: self._choose(self._default, self._value, self._quoted, self._plain), most=4)

    def _choose(self, *makers: Callable[[], Part]) -> Part:
        return makers[self._draw(st.integers(0, len(makers) - 1))]()

    def _several(self, make: Callable[[], Part], most: int = 3) -> Part:
        parts = [make() for _ in range(self._draw(st.integers(0, most)))]
        return Part("".join(p.written for p in parts), tuple(span for p in parts for span in p.spans))

    def _text(self, alphabet: str, escape: str = "") -> Part:
        if self._backticks:
            # Between backticks in double quotes bash counts unpaired quotes and brackets even where they are quoted.
            alphabet = re.sub("['\"`(){}#]", "", alphabet)
        text = self._draw(st.text(alphabet, min_size=1, max_size=3))
        written = re.sub(f"([{re.escape(escape)}])", r"\\\1", text) if escape else text
        return Part(written, ((text, False),))

    def _plain(self) -> Part:
        return self._text("ab/:.,-")

    def _value(self, splits: bool = True) -> Part:
        name = f"v{len(self.values)}"
        self.values[name] = self._draw(VALUES)
        return Part(f"${{{{inputs.{name}}}}}", ((self.values[name], splits),))

    def _exact(self) -> Part:
        return self._value(splits=False)

    def _default(self) -> Part:
        """``${UNSET:-...}`` outside quotes."""
        blank = Part(" ", ((" ", True),))
        makers = (self._value, self._single, self._double, self._plain, lambda: blank)
        inside = self._several(lambda: self._choose(*makers))
        return Part(f"${{UNSET:-{inside.written}}}", inside.spans)

    def _quoted(self) -> Part:
        """One word whatever the values are."""
        kinds = [self._double, self._double, self._single, *([self._ansi] if self._bash else [])]
        return self._choose(*kinds)

    def _single(self) -> Part:
        return self._several(lambda: self._choose(self._exact, lambda: self._text('ab "\\$`\n*#('))).inside("'@'")

    def _ansi(self) -> Part:
        return self._several(lambda: self._choose(self._exact, lambda: self._text("ab \"$`*'\\", "'\\"))).inside("$'@'")

    def _double(self) -> Part:
        return self._several(self._in_double).inside('"@"')

    def _in_double(self) -> Part:
        return self._choose(
            self._exact,
            self._exact,
            lambda: self._text("ab '#\\\"$`(){}\n*", '\\"$`'),
            lambda: self._several(self._in_braces).inside("${UNSET:-@}"),
            lambda: self._several(self._in_braces).inside("${SET:+@}"),
            lambda: self._quoted().inside("$(printf '%s.' @)", after="."),
            lambda: self._quoted().inside("$( # a b\n(printf %s. @) )", after="."),
            self._backquoted,
            lambda: self._quoted().inside("$(case @ in @) printf %s. @;; esac)", after="."),
            self._document,
        )

    def _backquoted(self) -> Part:
        self._backticks += 1
        part = self._quoted().in_backticks().inside("`printf %s. @`", after=".")
        self._backticks -= 1
        return part

    def _in_braces(self) -> Part:
        return self._choose(
            self._exact,
            lambda: self._text("ab *#:/"),
            lambda: self._quoted().inside("$(printf '%s.' @)", after="."),
            lambda: self._several(self._in_braces).inside("${UNSET-@}"),
        )

    def _document(self) -> Part:
        quoted = self._several(lambda: self._choose(self._exact, lambda: self._text("ab'\\$`\"\n)#")))
        expanded = self._several(lambda: self._choose(self._exact, lambda: self._text("ab'\"\n)#\\$`", "\\$`")))
        return self._choose(
            lambda: _body(quoted).inside("$(show-raw <<'E'\nx@\nE\n)"),
            lambda: _body(expanded).inside("$(show-raw <<E\nx@\nE\n)"),
        )


def _body(part: Part) -> Part:
    text = "".join(text for text, _ in part.spans)
    return Part(part.written, ((f"x{text}\n.", False),))


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    yield Judge(tmp_path_factory.mktemp("judge"))


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
@given(data=st.data())
@real_processes
def test_words_that_nest_places_at_random(judge: Judge, shell: str, data: st.DataObject) -> None:
    writer = Writer(data, bash=shell == "bash")
    parts = [writer.word() for _ in range(LINES)]
    found = judge.calls(shell, "\n".join(f"show {part.written}" for part in parts), writer.values)
    for part, call in zip(parts, found, strict=True):
        assert call == part.words(), part.written
