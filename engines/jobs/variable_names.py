"""Which environment variable holds which value of a job's command."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PREFIXES = {
    "inputs": "AZURE_ML_INPUT_",
    "outputs": "AZURE_ML_OUTPUT_",
    "search_space": "AZUREML_SWEEP_",
}
_OTHER = "AZURE_ML_VALUE_"
_PLAIN = re.compile(r"[A-Za-z0-9_]+\Z")


class VariableNames:
    """One name per key and per word of its value, no two the same.

    A key that a shell can spell keeps its name whatever else there is (``inputs.epochs`` is ``AZURE_ML_INPUT_epochs``);
    in others the odd characters become ``_``, and a number tells apart what would then be the same.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._names: dict[str, str] = {}
        self._taken: set[str] = set()
        self._words: dict[tuple[str, int], str] = {}
        for key in sorted(keys, key=lambda key: (not _PLAIN.match(_parts(key)[1]), key)):
            self.add(key)

    def add(self, key: str) -> None:
        """Give a key a name that nothing has yet."""
        prefix, name = _parts(key)
        plain = prefix + re.sub(r"[^A-Za-z0-9_]", "_", name)
        self._names[key] = self._free(plain, f"{plain}_")

    def whole(self, key: str) -> str:
        """The variable with the whole value."""
        return self._names[key]

    def word(self, key: str, number: int) -> str:
        """The variable with one word of it, counted from 1."""
        if (key, number) not in self._words:
            plain = f"{self._names[key]}__{number}"
            self._words[key, number] = self._free(plain, f"{plain}_")
        return self._words[key, number]

    def _free(self, name: str, stem: str) -> str:
        number = 1
        free = name
        while free in self._taken:
            number += 1
            free = f"{stem}{number}"
        self._taken.add(free)
        return free


def _parts(key: str) -> tuple[str, str]:
    """The prefix of the variable, and what follows it."""
    kind, _, name = key.partition(".")
    return (_PREFIXES[kind], name) if name and kind in _PREFIXES else (_OTHER, key)
