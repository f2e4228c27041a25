"""What is typed, read from a terminal: a key right after Escape is two keys, as whoever pressed them meant it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

from textual._xterm_parser import XTermParser
from textual.events import Key

ESCAPE = "\x1b"
BEGINNINGS = frozenset("[O]P_^X")
"""What may follow Escape in a terminal's own sequences: there is more to wait for."""

WORDS: Mapping[str, str] = {"\x1bb": "ctrl+left", "\x1bf": "ctrl+right", "\x1bd": "ctrl+f", "\x1b\x7f": "ctrl+w"}
"""Alt keys that go by words in every shell, and the keys that do the same in a text."""


class KeyParser(XTermParser):
    """Textual's parser, but for Escape and a key within a tenth of a second.

    A terminal sends the same for them as for that key with Alt, and Textual takes them for that: Escape is lost, and
    the key becomes one that nothing is bound to, or another character. Here they are taken apart, unless a setting
    gives something this key with Alt (``taken``), or it moves by words in the text that is written (``is_typing``).
    Terminals that speak Kitty's protocol tell the two apart by themselves.

    Enter that is typed before the terminal is ours arrives as a line feed, which is Enter here too.
    """

    def __init__(
        self, debug: bool = False, *, is_typing: Callable[[], bool], taken: Callable[[], Iterable[str]]
    ) -> None:
        self._is_typing, self._taken = is_typing, taken
        super().__init__(debug)

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[Key]:
        """As in Textual; called for each longer beginning of a sequence until it is one."""
        if sequence.endswith("\n") and "ctrl+j" not in self._taken():
            sequence = f"{sequence[:-1]}\r"
        if alt and len(sequence) == 1:  # nothing came after it in time
            return self._after_escape(sequence)
        if len(sequence) == 2 and sequence[0] == ESCAPE and sequence[1] not in BEGINNINGS:
            return self._after_escape(sequence[1])
        return super()._sequence_to_key_events(sequence, alt)

    def _after_escape(self, character: str) -> list[Key]:
        sequence = ESCAPE + character
        if sequence in WORDS and self._is_typing():
            return [Key(WORDS[sequence], None)]
        if character == "\t" and os.environ.get("TERM") == "linux":  # what the console sends for shift+tab
            return [Key("shift+tab", None)]
        together = [key.key for key in super()._sequence_to_key_events(character, alt=True)]
        if together and together[0].startswith("alt+") and together[0] in self._taken():
            return [Key(together[0], None)]
        return [Key("escape", ESCAPE), *super()._sequence_to_key_events(character)]
