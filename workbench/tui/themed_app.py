"""The application with a user's settings: themes (chosen, previewed, kept), keys, and what is wrong with them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from textual import on
from textual.app import App
from textual.binding import Binding
from textual.command import Command, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.filter import LineFilter
from textual.theme import BUILTIN_THEMES, Theme

from store.errors import DocumentError, Fault, WorkbenchError
from workbench.configuration.model import Configuration
from workbench.configuration.reading import Loaded, config_file, in_order
from workbench.tui.glyphs import draws_unicode
from workbench.tui.key_order import OrderedKeys
from workbench.tui.theming import AUTOMATIC, DARK, Themes, automatic
from workbench.tui.widgets.palette import Palette

TOLD_SECONDS = 15.0


class ChooseTheme:
    """What the palette does with a theme: it can be told which one it is, to show it beforehand."""

    def __init__(self, app: ThemedApp, name: str) -> None:
        self.app, self.name = app, name

    def __call__(self) -> None:
        self.app.use_theme(self.name)


class ThemeCommands(Provider):
    """The themes, in the palette."""

    async def discover(self) -> Hits:
        """All of them."""
        for name, text in self._entries():
            yield DiscoveryHit(name, ChooseTheme(self._themed, name), help=text)

    async def search(self, query: str) -> Hits:
        """Those whose name fits."""
        matcher = self.matcher(query)
        for name, text in self._entries():
            if (match := matcher.match(name)) > 0:
                yield Hit(match, matcher.highlight(name), ChooseTheme(self._themed, name), help=text)

    @property
    def _themed(self) -> ThemedApp:
        assert isinstance(self.app, ThemedApp)  # noqa: S101  (for the type checker)
        return self.app

    def _entries(self) -> list[tuple[str, str]]:
        names = sorted(
            self.app.available_themes, key=lambda name: (name != self.app.theme, name)
        )  # stays as it is first
        return [(name, self._themed.about_theme(name)) for name in names]


KEY_WORDS = {"⏎": "enter", "⌫": "backspace", "↑": "up", "↓": "down", "←": "left", "→": "right"}


class ThemedApp(OrderedKeys):
    """An application with Workbench's themes and a user's settings."""

    def __init__(self, loaded: Loaded | None = None, themes: Themes | None = None, **options: Any) -> None:
        self.loaded = loaded or Loaded(config_file())
        self.themes = themes or Themes()
        self._taken_up: dict[str, Theme] = {}
        self._theme_faults: list[Fault] = []
        self._theme_before: str | None = None
        self._plain_signs = _plain_signs()
        self.set_reactive(App.theme, self._first_theme())  # before any stylesheet is read: later all are read twice
        super().__init__(**options)
        if self.configuration.keys:
            self.hold_back_keys()  # until it is known that they are free

    def use_keys(self) -> None:
        """Take the user's keys. What has such a key already and does the same keeps it, and its precedence."""
        given = dict(self.configuration.keys)
        own = [each for each in type(self).BINDINGS if isinstance(each, Binding) and each.id]
        for binding in own:
            keys = set(given.get(binding.id or "", "").split(","))
            for other in own:
                if other.action == binding.action and other.id not in given and other.key in keys:
                    given[other.id or ""] = other.key
        self.set_keymap(given)

    def key_of(self, name: str, usual: str) -> str:
        """How texts call the key of a binding: the one that the user gave it, else its usual one."""
        given = self.configuration.keys.get(name)
        return self.get_key_display(Binding(given.split(",")[0].strip(), "", "")) if given else usual

    def get_key_display(self, binding: Binding) -> str:
        """What a key is called: in words where its sign cannot be drawn, as an arrow that looks like a control key."""
        shown = super().get_key_display(binding)
        return KEY_WORDS.get(shown, shown) if self._plain_signs or self.configuration.ascii else shown

    def _first_theme(self) -> str:
        wanted = self.configuration.theme
        faults: list[Fault] = []
        for name in (automatic() if wanted == AUTOMATIC else wanted, DARK):
            if self._take_up(name):
                self._theme_faults = faults
                return name
            faults += self._theme_faults
        self._theme_faults = faults
        self._taken_up["textual-dark"] = BUILTIN_THEMES["textual-dark"]
        return "textual-dark"

    @property
    def available_themes(self) -> dict[str, Theme]:
        """Ours, those that have been read; Textual's have no colours for states and charts."""
        return dict(self._taken_up)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What is done to every line: under ``NO_COLOR`` it loses its colours, whatever the theme is by now.

        A terminal that cannot draw all of Unicode gets signs in ASCII.
        """
        if not self.no_color:
            return [*super().get_line_filters(), *self._plain_signs]
        from workbench.tui.colourless import without_colour

        return [without_colour(self.current_theme.background or "ansi_default"), *self._plain_signs]

    @property
    def configuration(self) -> Configuration:
        """The settings in force."""
        return self.loaded.configuration

    @property
    def editor_refusal(self) -> str | None:
        """Why a file cannot be opened in the user's editor here; None where it can."""
        if self.is_web or os.environ.get("WORKBENCH_WEB"):
            return "a browser has no editor of its own: open `workbench` in a terminal to edit files"
        return None

    # -- what is wrong with the files ---------------------------------------------------------------------------

    async def check_configuration(self) -> None:
        """Say what is wrong with the user's files. Called after the first picture: looking at keys imports much."""
        from workbench.tui.settings import check_tables

        given = self.configuration.keys
        try:
            await asyncio.to_thread(check_tables, self.loaded)
            self.use_keys()
        finally:
            self.give_out_keys()
        if self.configuration.keys != given:
            for each in self.query("Rail, TabLine"):
                each.refresh()
        if self.loaded.faults:
            self.tell_faults(
                self.loaded.faults, "Settings", "The defaults are in force. `workbench config show` tells all."
            )
        if self._theme_faults:
            self.tell_faults(self._theme_faults, "Theme", f"The theme is {self.theme!r} for now.")

    def tell_faults(self, faults: Sequence[Fault], title: str, consequence: str) -> None:
        """Show the first fault of a file as a notification, and how many there are: it lies over what is shown."""
        first = min(faults, key=in_order)
        text = str(replace(first, file=os.path.basename(first.file))).replace("\n  ", "; ")
        others = f"{len(faults) - 1} more. " if len(faults) > 1 else ""
        self.notify(
            f"{text}\n{others}{consequence}", title=title, severity="warning", timeout=TOLD_SECONDS, markup=False
        )

    # -- themes -------------------------------------------------------------------------------------------------

    def about_theme(self, name: str) -> str:
        """A theme in a few words."""
        theme = self.available_themes[name]
        kind = "the terminal's own colours" if theme.ansi else "dark" if theme.dark else "light"
        return f"{kind}, in use" if name == (self._theme_before or self.theme) else kind

    def register_themes(self) -> None:
        """Read every theme that has not been read yet; what is wrong with one is said."""
        faults: list[Fault] = []
        for name in self.themes.names():
            if name not in self.available_themes and not self._take_up(name):
                faults += self._theme_faults
        if faults:
            self.tell_faults(faults, "Theme", "It is left out of the list.")

    def _take_up(self, name: str) -> bool:
        self._theme_faults = []
        try:
            self._taken_up[name] = self.themes.theme(name)
        except DocumentError as error:
            self._theme_faults = list(error.faults)
        except WorkbenchError as error:
            self._theme_faults = [Fault(str(self.themes.own), 1, 1, "", error.message, error.hint)]
        else:
            return True
        return False

    def search_themes(self) -> None:
        """Open the list of themes; the one under the cursor is shown beforehand."""
        self.register_themes()
        self._theme_before = self.theme
        self.push_screen(Palette(providers=[ThemeCommands], placeholder="Theme"))

    def action_command_palette(self) -> None:
        """Open the list of all that can be done here."""
        if not any(isinstance(screen, CommandPalette) for screen in self.screen_stack):
            self.push_screen(Palette(id="--command-palette"))

    def refresh_css(self, animate: bool = True) -> None:
        """Apply a changed theme; a palette is kept apart from the application's tree, and would keep its colours."""
        super().refresh_css(animate)
        if self.screen_stack and isinstance(self.screen, CommandPalette):
            self.stylesheet.update(self.screen, animate=animate)

    @on(CommandPalette.OptionHighlighted)
    def preview_theme(self, event: CommandPalette.OptionHighlighted) -> None:
        """Show the theme under the cursor."""
        option = event.highlighted_event.option
        if self._theme_before is None or not isinstance(option, Command):
            return
        if isinstance(choice := option.hit.command, ChooseTheme):
            self.theme = choice.name

    @on(CommandPalette.Closed)
    def end_preview(self, event: CommandPalette.Closed) -> None:
        """Go back to the theme from before, unless one was chosen."""
        before, self._theme_before = self._theme_before, None
        if before is not None and not event.option_selected:
            self.theme = before

    def use_theme(self, name: str) -> None:
        """Use a theme from now on, in later sessions too."""
        self.theme = name
        self.run_worker(self._keep_theme(name), group="keep-theme")

    async def _keep_theme(self, name: str) -> None:
        from workbench.configuration.writing import save

        try:
            file = await asyncio.to_thread(save, ("theme",), name)
        except WorkbenchError as error:
            self.notify(f"{error}", title="The theme is not kept", severity="warning", markup=False)
            return
        if os.environ.get("WORKBENCH_THEME", name) != name:
            text = f"{file} has it, but $WORKBENCH_THEME goes before it at the next start."
            self.notify(text, title="Theme", severity="warning", markup=False)

    async def follow_themes(self) -> None:
        """Take up what was saved in the user's own folder since the last call: three system calls if nothing was."""
        changed = await asyncio.to_thread(self.themes.changed)
        if not changed:
            return
        concerned = await asyncio.to_thread(self.themes.dependents, changed)
        for name in sorted(concerned & (set(self.available_themes) | {self.configuration.theme})):
            if name not in self.themes.names():
                self._forget_theme(name)
            elif not self._take_up(name):
                self.tell_faults(self._theme_faults, "Theme", "What it was before stays in use.")
            elif name == self.theme:
                self.mutate_reactive(App.theme)
            elif name == self.configuration.theme:
                self.theme = name  # it could not be read at the start

    def _forget_theme(self, name: str) -> None:
        if name == self.theme:
            if not self._take_up(DARK):
                return
            self.theme = DARK
            self.notify(f"{name!r} is gone: the theme is {DARK!r} for now", title="Theme", markup=False)
        if name != DARK:
            self._taken_up.pop(name, None)


def _plain_signs() -> list[LineFilter]:
    """The filter for a terminal that cannot draw all signs; none, and nothing to import, for any other."""
    if draws_unicode():
        return []
    from workbench.tui.plain_signs import PlainSigns

    return [PlainSigns()]
