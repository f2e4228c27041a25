"""The application: it notices what changed, and carries commands to the view that is shown."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widgets import Input

import themes
from store.errors import WorkbenchError
from workbench.tui import commands
from workbench.tui.access import Access, NoWorkspaceError
from workbench.tui.calm import CALM_SECONDS, Calm
from workbench.tui.frame import Frame
from workbench.tui.glyphs import Glyphs, glyphs
from workbench.tui.job_search import JobCommands
from workbench.tui.last_place import remember, remembered
from workbench.tui.machine import LoadLevels
from workbench.tui.reading import keep_agent, situation
from workbench.tui.sections import SECTIONS, Section, named
from workbench.tui.signals import leave_by_signals
from workbench.tui.themed_app import TOLD_SECONDS, ThemedApp
from workbench.tui.view import View, is_typing
from workbench.tui.widgets.command_line import CommandLine

if TYPE_CHECKING:
    from store.workspace import Found
    from workbench.configuration.reading import Loaded

STYLES = Path(themes.__file__).parent / "styles"
AREAS = ("frame", "dialogs", "palette", "home", "jobs", "job", "metrics", "log", "compare", "form", "sections", "ansi")
"""A stylesheet each."""

LOAD_SECONDS = 5.0
"""How often the machine's load is looked at: it is a hint, not a measurement."""

LEAVE_SECONDS = 1.0
"""Leaving waits for what is being written, and then asks."""

THEME_SECONDS = 1.0
"""How often the user's own themes are looked at: whoever edits one sees it change while saving."""


class WorkbenchApp(ThemedApp):
    """Workbench in a terminal."""

    TITLE = "workbench"
    CSS_PATH: ClassVar = [str(STYLES / f"{area}.tcss") for area in AREAS]
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    COMMANDS = ThemedApp.COMMANDS | {JobCommands}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "help", id="app.help"),
        Binding("colon", "command_line", "go to", id="app.command", priority=True),  # what follows is for the line
        Binding("escape", "back", "back", id="app.back", show=False),
        Binding("minus", "previous", "Previous section", id="app.previous", show=False),
        Binding("ctrl+o", "jump", "Jump", id="app.jump", show=False),
        Binding("ctrl+l", "repaint", "Paint all anew", id="app.repaint", show=False),
        Binding("q", "quit", "quit", id="app.quit"),
        Binding("ctrl+q", "quit", "Quit, from a text too", id="app.quit_at_once", show=False, priority=True),
        Binding("ctrl+p", "command_palette", "Command palette", id="app.palette", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", "To the shell; fg leads back", id="app.suspend", show=False),
        Binding("ctrl+c", "help_quit", "How to quit", id="app.how_to_quit", show=False, system=True),
        *(
            Binding(
                str(number), f"section('{section.name}')", section.title, id=f"app.section.{section.name}", show=False
            )
            for number, section in enumerate(SECTIONS, 1)
        ),
    ]

    def __init__(
        self,
        found: Found,
        *,
        refresh_hz: float | None = None,
        start: str | None = None,
        loaded: Loaded | None = None,
        **options: Any,
    ) -> None:
        super().__init__(loaded, **options)
        self.animation_level = "none"
        self.access = Access(found, self._tell_held)
        self.access.tell_made = self._tell_made
        self._frame = Frame(SECTIONS)
        self.refresh_hz = refresh_hz or self.configuration.refresh_hz
        self.start = start or self.configuration.default_section
        self.signs: Glyphs = glyphs(self.configuration.ascii)
        self.levels = LoadLevels()
        self.calm = Calm()
        self._agent_trouble, self._agent_started = "", False
        self._way_back: list[str] = []
        self._writing_way_back = threading.Lock()

    @property
    def frame(self) -> Frame:
        """The one screen below all dialogs."""
        return self._frame

    def get_default_screen(self) -> Screen[None]:
        """The frame with all sections."""
        return self._frame

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, for a theme that does not give them."""
        from workbench.tui.theme_variables import VARIABLE_DEFAULTS

        return dict(VARIABLE_DEFAULTS)

    def on_load(self) -> None:
        """From here on the terminal is not the shell's."""
        if not self.is_headless:
            leave_by_signals(lambda status: self.call_later(self._leave_for_now, status))

    async def on_ready(self) -> None:
        """Everything that is not the first picture waits for it."""
        check: Any = self.check_configuration
        self.run_worker(check, group="configuration")  # keys wait for it
        if self.frame.section is None:  # a key that came first has its way
            await self._begin()
        self.set_interval(1 / self.refresh_hz, self._pulse)
        self.set_interval(LOAD_SECONDS, self._look_at_load)
        self.set_interval(THEME_SECONDS, self.follow_themes)
        if not self.is_headless:
            self.set_interval(CALM_SECONDS, self._use_calm)
        load: Any = self._look_at_load  # no coroutine: one that never begins is complained of on stderr
        self.run_worker(load, group="load")

    async def _begin(self) -> None:
        """Show where the line broke last time, else the section to start with."""
        await self.frame.show_section(named(self.start) or SECTIONS[0])
        begun = self.frame.section
        for place in await asyncio.to_thread(remembered, self.access.layout.root):
            if self.frame.section is not begun:
                return  # a key has led elsewhere meanwhile
            await self.run_command(place)
            begun = self.frame.section

    async def on_unmount(self) -> None:
        self.access.close()

    def _handle_exception(self, error: Exception) -> None:
        """As in Textual; but what a widget misses that comes while all leave is none."""
        if not (self._exit and isinstance(getattr(error, "error", error), NoMatches)):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Leave by an error of our own; Textual would print the values of all variables, secrets among them."""
        from rich.text import Text

        from workbench.tui.crash import keep

        if not self._exit_renderables:  # what follows the first error seldom tells more
            self.panic(Text(keep(), overflow="fold"))

    def _use_calm(self) -> None:
        self.calm.use(self.seconds_since_key())

    # -- what changes by itself ---------------------------------------------------------------------------------

    async def _pulse(self) -> None:
        """Look whether the store changed; tell the view, and let it follow what moves."""
        try:
            changed = await self.access.changed()
        except NoWorkspaceError:
            changed = False
        except (WorkbenchError, sqlite3.Error, OSError):
            changed = True  # the view reads, meets the same trouble and says it
        view = self.frame.view
        if changed:
            read: Any = self._read_situation
            self.run_worker(read, group="situation", exclusive=True)
            if view is not None and view.is_mounted:
                view.store_changed()
        if view is not None and view.live and view.query(".notice"):  # gone while the application ends
            with suppress(WorkbenchError, sqlite3.Error, OSError):  # at the next change the view reads, and says it
                await view.tick()

    async def _read_situation(self) -> None:
        try:
            self.frame.header.situation = await self.access.read(situation)
        except NoWorkspaceError:
            return  # the view says it
        except (WorkbenchError, sqlite3.Error, OSError):  # why is said by the view
            self.frame.header.situation = replace(self.frame.header.situation, readable=False)

    async def _look_at_load(self) -> None:
        self.frame.header.load = await asyncio.to_thread(self.levels.read)
        await self._keep_agent()
        await self._read_situation()  # an agent that leaves writes nothing

    async def _keep_agent(self) -> None:
        """As every command that reads jobs does: unfinished jobs get an agent. What goes wrong is said once."""
        try:
            self._agent_started = await self.access.read(keep_agent, self._agent_started)
        except NoWorkspaceError:
            return
        except (WorkbenchError, sqlite3.Error, OSError) as error:
            trouble = error.message if isinstance(error, WorkbenchError) else str(error)
            if trouble != self._agent_trouble:
                self._agent_trouble = trouble
                self.notify(str(error), title="No agent", severity="warning", timeout=TOLD_SECONDS, markup=False)
        else:
            self._agent_trouble = "" if not self._agent_started else self._agent_trouble

    # -- going places -------------------------------------------------------------------------------------------

    async def action_section(self, name: str) -> None:
        """Show a section."""
        section = named(name)
        if section is not None:
            await self.go(section)

    async def go(self, section: Section, argument: str = "") -> View:
        """Show a section, and give it what was typed behind its name."""
        view = await self.frame.show_section(section)
        if argument:
            view.command(argument)
        return view

    async def action_back(self) -> None:
        """One view back; at a section's first view warnings go, else to the section before."""
        if await self.frame.pop():
            return
        if any(each.severity != "information" for each in self._notifications):
            self.clear_notifications()
        else:
            await self.action_previous()

    async def action_previous(self) -> None:
        """The section that was shown before this one."""
        if self.frame.previous is not None:
            await self.frame.show_section(self.frame.previous)

    async def open_job(self, name: str, tab: str = "overview") -> None:
        """Open the view of a job over what is shown; one that is shown already turns to the tab."""
        from workbench.tui.screens.job import JobView

        if isinstance(self.frame.view, JobView) and self.frame.view.job_name == name:
            self.frame.view.command(tab)
        else:
            await self.frame.push(JobView(name, tab))

    def now(self) -> float:
        """Seconds since 1970; tests stop this clock."""
        return time.time()

    def place_changed(self) -> None:
        """Another view is shown: remember the way there, for a line that breaks."""
        work: Any = partial(self._remember, self.frame.places())  # Textual's union of kinds of work cannot be inferred
        self.run_worker(work, group="place", exclusive=True)

    async def _remember(self, places: list[str]) -> None:
        self._way_back = places
        await asyncio.to_thread(self._write_way_back)

    def _write_way_back(self) -> None:
        """In threads, which may overtake each other: each writes the newest."""
        with self._writing_way_back:
            remember(self.access.layout.root, self._way_back)

    async def action_quit(self) -> None:
        """Leave; work goes on, and the next session begins at the beginning. What waits to be written is asked for."""
        if count := await self.access.unwritten(LEAVE_SECONDS):
            from workbench.tui.widgets.menu import Question

            what = "A change is" if count == 1 else f"{count} changes are"
            consequence = f"{what} not written yet, as while another program holds the database: y gives up what waits."
            self.push_screen(Question("Leave at once?", consequence), self._leave_at_once)
        else:
            await self._leave_at_once(True)

    async def _leave_at_once(self, yes: bool | None) -> None:
        if yes:
            await self._remember([])
            self.exit()

    def _tell_made(self, what: str) -> None:
        """Called in a thread of the store's."""
        self.call_later(self.notify, what, markup=False)

    def _tell_held(self, what: str) -> None:
        """Called in a thread of the store's."""
        text = f"another program holds the database: {what} until it lets go\n  `workbench doctor` shows which."
        self.call_later(self.notify, text, title="Waiting", severity="warning", markup=False)

    async def _leave_for_now(self, status: int) -> None:
        """Leave without having been asked to; the next session begins where this one is."""
        await self._remember(self.frame.places())
        self.exit(return_code=status)

    def action_suspend_process(self) -> None:
        """Give the terminal back to the shell, until ``fg``."""
        from workbench.tui.job_control import has_shell

        if has_shell():
            super().action_suspend_process()
        else:
            self.notify("no shell waits behind this terminal")

    def action_repaint(self) -> None:
        """Paint the whole screen anew, over what another program wrote on it."""
        if (repaint := getattr(self._driver, "repaint", None)) is not None:
            repaint()
        self.refresh()

    def action_help(self) -> None:
        """Show the keys that work here."""
        from workbench.tui.help import Help, groups

        self.push_screen(Help(groups(self.screen)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A colon that is typed into a text is a colon."""
        return not (action == "command_line" and is_typing(self.focused))

    def action_command_line(self, text: str = "") -> None:
        """Open the command line."""
        self.frame.command_line.open(text)

    async def action_jump(self) -> None:
        """Label sections, tabs, rows and panes, and go where the next key says."""
        from workbench.tui.jump import Jump, Target, targets_of

        def go(target: Target | None) -> None:
            if target is not None:
                target.go()

        self.push_screen(Jump(targets_of(self.screen)), go)

    @on(CommandLine.Entered)
    async def command_entered(self, event: CommandLine.Entered) -> None:
        """Run what was typed after ``:``."""
        await self.run_command(event.text)

    async def run_command(self, text: str) -> None:
        """Run a line such as ``jobs failed``; says what is wrong with one that means nothing."""
        command = commands.parse(text)
        if isinstance(command, str):
            self.notify(command, severity="warning", markup=False)
            return
        if command.section is not None:
            await self.go(command.section, command.argument)
        elif command.word == "job":
            await self._open_meant(command.argument)
        elif command.word == "compare":
            from workbench.tui.screens.compare import CompareView

            await self.frame.push(CompareView(command.argument.split()))
        elif command.word == "theme":
            self.choose_theme(command.argument)
        elif command.word == "help":
            self.action_help()
        elif command.word == "line":
            if self.frame.view is None or not self.frame.view.go_to_line(int(command.argument)):
                self.notify("there are no lines to go to here, but in the log of a job", severity="warning")
        else:
            await self.action_quit()

    async def _open_meant(self, text: str) -> None:
        """Open a job by what it is called, with a tab behind it."""
        from workbench.tui.job_names import job_meant
        from workbench.tui.screens.job import TABS

        called, _, tab = text.rpartition(" ")
        if not called or tab not in TABS:
            called, tab = text, "overview"
        if (name := await job_meant(self, called.strip())) is not None:
            await self.open_job(name, tab)

    def choose_theme(self, name: str) -> None:
        """Use a theme by name; without a name, open the list."""
        if not name:
            self.action_change_theme()
            return
        self.register_themes()
        if name in self.available_themes:
            self.use_theme(name)
        else:
            self.notify(
                commands.refusal(name, sorted(self.available_themes), "theme"), severity="warning", markup=False
            )

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action that works here, by a key or under one that means something else here; sections, themes."""
        active = sorted(screen.active_bindings.values(), key=lambda each: not each.binding.show)
        keyed = [
            (each.node, each.binding, f"key {self.get_key_display(each.binding)}") for each in active if each.enabled
        ]
        covered = [
            (node, binding, "its key does something else here")
            for node, bindings in screen._modal_binding_chain
            for _, binding in bindings
            if binding.id and self._check_action_state(binding.action, node)
        ]
        seen: set[tuple[str, DOMNode]] = set()
        for node, binding, about in (*keyed, *covered):
            if binding.description and (binding.action, node) not in seen and not isinstance(node, Input):
                seen.add((binding.action, node))
                yield SystemCommand(
                    binding.description.capitalize(),
                    about,
                    lambda action=binding.action, node=node: self.call_later(self.run_action, action, node),
                )
        yield SystemCommand("Theme", "Choose a theme", self.action_change_theme)

    def copy_text(self, text: str, what: str) -> None:
        """Copy to the user's clipboard and say so."""
        self.copy_to_clipboard(text)
        self.notify(f"copied {what}", timeout=2, markup=False)

    def copy_to_clipboard(self, text: str) -> None:
        """Copy what was chosen or selected: by tmux where it runs in it, else by OSC 52, which the far end obeys."""
        from workbench.tui.clipboard import taken_by_tmux

        if not text:
            return  # a selection over something that is drawn, not written
        if taken_by_tmux(text):
            self._clipboard = text
        else:
            super().copy_to_clipboard(text)
