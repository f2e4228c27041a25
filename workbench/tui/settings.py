"""The configuration as the terminal UI takes it: themes and sections have to be there, keys have to be keys."""

from __future__ import annotations

from store.specs.nearest import nearest, suggestion
from workbench.configuration.reading import Loaded, in_order, load, setting
from workbench.tui.sections import SECTIONS
from workbench.tui.theming import AUTOMATIC, Themes


def load_settings(themes: Themes) -> Loaded:
    """The configuration of this user; what names no theme or section leaves the default in force."""
    loaded = load()
    configuration = loaded.configuration
    if configuration.theme != AUTOMATIC and configuration.theme not in (names := themes.names()):
        hint = meant(configuration.theme, [AUTOMATIC, *names])
        loaded.refuse(setting("theme"), f"there is no theme {configuration.theme!r}", hint)
    sections = [section.name for section in SECTIONS]
    if configuration.default_section not in sections:
        hint = meant(configuration.default_section, sections)
        loaded.refuse(setting("default_section"), f"there is no section {configuration.default_section!r}", hint)
    return loaded


def meant(word: str, words: list[str]) -> str | None:
    """The nearest right word, or all where none is near: a notification has little room."""
    close = nearest(word, words)
    return f"did you mean {close!r}?" if close else suggestion(word, words, introduction="There are")


def check_tables(loaded: Loaded) -> None:
    """Note what is wrong with saved filters and keys, which takes imports that the first picture does not wait for."""
    check_filters(loaded)
    if loaded.configuration.keys:
        from workbench.tui.keymap import check_keys

        check_keys(loaded)
    loaded.faults.sort(key=in_order)


def check_filters(loaded: Loaded) -> None:
    """Note what is wrong with saved filters; those that cannot be understood are left out."""
    if not loaded.configuration.filters:
        return
    from store.job_filter import FilterError, parse

    for name, text in loaded.configuration.filters.items():
        try:
            parse(text)
        except FilterError as error:
            loaded.refuse(setting("filters"), error.message, error.hint, name)
