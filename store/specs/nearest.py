"""The word that was most likely meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, words: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The one of ``words`` that ``word`` is most likely a slip of; None if none is near."""
    from difflib import get_close_matches  # only a faulty document needs it

    by_folded = {_fold(candidate): candidate for candidate in words}
    folded = _fold(word)
    if folded in by_folded:
        return by_folded[folded]
    if close := get_close_matches(folded, by_folded, n=1, cutoff=cutoff):
        return by_folded[close[0]]
    longer = [candidate for candidate in by_folded if len(folded) > 2 and candidate.startswith(folded)]
    return by_folded[min(longer, key=len)] if longer else None


def _fold(word: str) -> str:
    return word.lower().replace("-", "_").replace(" ", "_")


def suggestion(word: str, words: Iterable[str], *, introduction: str = "Allowed here") -> str | None:
    """A hint: the word that was meant if there is one near, and all words that are allowed."""
    allowed = list(words)
    if not allowed:
        return None
    found = nearest(word, allowed)
    meant = f"did you mean {found!r}? " if found else ""
    return f"{meant}{introduction}: {', '.join(allowed)}"
