"""The configuration as the terminal UI takes it: themes and sections have to be there, keys have to be keys."""

from __future__ import annotations

from store.specs.nearest import suggestion
from workbench.configuration.reading import Loaded, load, setting
from workbench.tui.sections import SECTIONS
from workbench.tui.theming import AUTOMATIC, Themes


def load_settings(themes: Themes) -> Loaded:
    """The configuration of this user; what names no theme or section leaves the default in force."""
    loaded = load()
    configuration = loaded.configuration
    if configuration.theme != AUTOMATIC and configuration.theme not in (names := themes.names()):
        hint = suggestion(configuration.theme, [AUTOMATIC, *names], introduction="There are")
        loaded.refuse(setting("theme"), f"there is no theme {configuration.theme!r}", hint)
    sections = [section.name for section in SECTIONS]
    if configuration.default_section not in sections:
        hint = suggestion(configuration.default_section, sections, introduction="There are")
        loaded.refuse(setting("default_section"), f"there is no section {configuration.default_section!r}", hint)
    return loaded
