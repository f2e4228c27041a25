"""The Log tab of a job: what its processes print, followed while they do, searched, and shown from any place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from store.errors import WorkbenchError
from store.log_lines import NoRegularFileError
from workbench.doctor.finding import size
from workbench.tui.job.log_reading import LogFile, Waiting, logs, waiting
from workbench.tui.job.log_search_line import LogSearch
from workbench.tui.job.log_searching import Searcher
from workbench.tui.job.log_words import empty_words, missing_words, plural
from workbench.tui.view import Notice
from workbench.tui.widgets.log_view import LogView, Wanted
from workbench.tui.widgets.menu import Choice, Menu

if TYPE_CHECKING:
    from store.jobs import Job
    from workbench.tui.app import WorkbenchApp

PARTS = 4
"""Widgets that the tab is made of."""

LEAST_LINES = 100
KEYS = "123456789abcdefghilmnoprstuvwxyz"


class LogTab(Widget):
    """One log of a job at a time; the job's own first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "search", id="log.search"),
        Binding("n", "next(1)", "next", id="log.next"),
        Binding("N", "next(-1)", "before", id="log.before"),
        Binding("f", "follow", "follow", id="log.follow"),
        Binding("E", "error", "first error", id="log.error"),
        Binding("w", "wrap", "wrap", id="log.wrap"),
        Binding("a", "choose", "other logs", id="log.choose"),
        Binding("number_sign", "numbers", "Line numbers", id="log.numbers", show=False),
        Binding("ctrl+g", "line", "To a line by its number, as :123", id="log.line", show=False),
        Binding("y", "copy", "Copy", id="log.copy", show=False),
        Binding("escape", "clear", "end search", id="log.clear", show=False),
    ]

    def __init__(self, name: str) -> None:
        super().__init__()
        self.job_name = name
        self.job: Job | None = None
        self.file: LogFile | None = None
        self._wanted: Wanted | None = None
        self._reading = False
        self._looking = False
        self._told: tuple[str, ...] = ()
        self.searcher = Searcher(self)

    @property
    def bench(self) -> WorkbenchApp:
        """The application, typed."""
        return cast("WorkbenchApp", self.app)

    @property
    def view(self) -> LogView:
        """The log on the screen."""
        return self.query_one(LogView)

    @property
    def live(self) -> bool:
        """Whether more may come."""
        return self.job is not None and not self.job.finished

    @property
    def there(self) -> bool:
        """Whether it is on the screen yet, and still: an answer may come later."""
        return self.is_attached and len(self.children) == PARTS

    def compose(self) -> ComposeResult:
        yield Static("", classes="log-status", markup=False)
        yield Notice("Reading the log…", classes="notice", markup=False)
        yield LogView()
        yield LogSearch()

    def on_mount(self) -> None:
        self.view.display = False
        self.query_one(".log-status").display = False

    def on_unmount(self) -> None:
        self.searcher.stop()

    # -- the job's facts and files ------------------------------------------------------------------------------

    async def show(self, job: Job) -> None:
        """Take in the job's facts, and read what is new of the log."""
        self.job = job
        if self.file is None:
            self.file = LogFile(self.bench.access.layout.job(job.name).log)
        await self._look()

    async def tick(self) -> None:
        """Follow the log; a look that takes long is not taken twice."""
        if self.there and not self._looking and not self._reading:
            await self._look()

    def focus_content(self) -> None:
        """Put the focus where the keys of this tab work."""
        if not self.there:
            return
        notice = self.query_one(Notice)
        self.screen.set_focus(notice if notice.display else self.view, scroll_visible=False)

    async def _look(self) -> None:
        file = self.file
        if file is None or not self.there:
            return
        view = self.view
        self._looking = True
        try:
            length, identity = await self.bench.access.read(file.look)
        except FileNotFoundError:
            await self._tell_missing()
            return
        except OSError as error:
            self._tell_unreadable(error)
            return
        except WorkbenchError as error:
            self._tell("-error", error.message, error.hint or "")
            return
        finally:
            self._looking = False
        if file is not self.file or not self.there:
            return
        if length == 0:
            self._tell("-empty", *empty_words(self.live))
            return
        window = view.window
        if (length, identity) == (window.size, window.identity) and view.display:
            self._update_status()
            return
        if window.identity not in ((0, 0), identity) or length < window.size:
            self.searcher.end()
            view.current = None
        if view.follow or not view.display or window.at_end or identity != window.identity:
            self.want(Wanted("end" if view.follow else "keep"))
        else:
            view.grown(length)
        self.searcher.log_grew()

    def want(self, wanted: Wanted) -> None:
        """Read the lines around a place, and show them; a later wish replaces one that has not begun."""
        if not (wanted.aim == "keep" and self._wanted is not None):
            self._wanted = wanted
        if not self._reading:
            self._reading = True
            self.run_worker(self._read(), group="read")

    async def _read(self) -> None:
        file, view = self.file, self.view
        try:
            while (wanted := self._wanted) is not None and file is not None:
                self._wanted = None
                offset: int | None = wanted.offset
                if wanted.aim == "keep":
                    offset = view.top.start if view.top is not None else 0
                if wanted.aim == "end" or (wanted.aim == "keep" and view.follow):
                    offset = None
                window = await self.bench.access.read(file.window, offset, max(LEAST_LINES, 3 * view.rows.height))
                if not self.there:
                    return
                if file is not self.file:
                    file = self.file
                    continue
                if self._wanted is None or self._wanted.aim == "keep":
                    self._show_log()
                    view.take(window, wanted)
        except FileNotFoundError:
            await self._tell_missing()
        except OSError as error:
            self._tell_unreadable(error)
        finally:
            self._reading = False

    @on(LogView.Needed)
    def lines_needed(self, event: LogView.Needed) -> None:
        """The view came to the edge of its lines, or jumps."""
        event.stop()
        self.want(event.wanted)

    @on(LogView.Moved)
    def view_moved(self, event: LogView.Moved) -> None:
        """Something else is on the screen."""
        event.stop()
        self._update_status()

    # -- what stands in place of a log --------------------------------------------------------------------------

    async def _tell_missing(self) -> None:
        job, file = self.job, self.file
        if job is None or file is None:
            return
        try:
            why = await self.bench.access.read(waiting, job)
        except (WorkbenchError, OSError) as error:
            self._tell("-error", str(error))
            return
        if not self.there:
            return
        own = file.path == self.bench.access.layout.job(job.name).log
        seen = self.view.window.size > 0
        self._tell(*missing_words(job, file.path, why if own else Waiting(others=1), seen=seen, own=own))

    def _tell_unreadable(self, error: OSError) -> None:
        path = self.file.path if self.file is not None else ""
        reason = error.strerror or "it is not a regular file"
        if isinstance(error, NoRegularFileError):
            reason = "it is not a regular file"
        self._tell("-error", f"The log cannot be read: {reason}.", str(path), "ctrl+r  try again", "a  other logs")

    def _tell(self, kind: str, title: str, *steps: str) -> None:
        if not self.there:
            return
        notice = self.query_one(Notice)
        told = (kind, title, *steps)
        if told != self._told:
            self._told = told
            notice.set_classes(f"notice {kind}")
            lines = [Content.styled(title, "bold"), *(Content(step) for step in steps if step)]
            notice.update(Content("\n").join(lines))
        self._swap(notice=True)

    def _show_log(self) -> None:
        self._told = ()
        self._swap(notice=False)

    def _swap(self, *, notice: bool) -> None:
        """The log, or what is said in its place; the focus goes along."""
        said = self.query_one(Notice)
        if said.display == notice and self.view.display != notice:
            return
        had_focus = self.screen.focused in (None, said, self.view)  # a focus that was asked for comes a moment later
        said.display, self.view.display = notice, not notice
        self.query_one(".log-status").display = not notice
        if had_focus and self.display and self.screen.is_current:
            self.focus_content()

    # -- the line above -----------------------------------------------------------------------------------------

    def _update_status(self) -> None:
        line = self.query_one(".log-status", Static)
        content = Content("   ").join(self._status())
        if content != line.content:
            line.update(content)

    def _status(self) -> Iterable[Content]:
        view, file = self.view, self.file
        if file is None or self.job is None:
            return
        yield Content.styled(file.path.name, "bold $foreground")
        if (found := self.searcher.words()) is not None:
            yield found
        if view.follow and self.live:
            yield Content.styled("following", "$state-running")
        elif self.live:
            yield Content("f  follow")
        yield Content(self._where())
        yield Content(size(view.window.size))
        if view.rows.wrap:
            yield Content("wrapped")
        elif view.left:
            yield Content(f"from column {view.left + 1}")

    def _where(self) -> str:
        """Which part of the log is on the screen."""
        view = self.view
        window = view.window
        if view.at_bottom:
            return "all" if view.top is not None and view.top.start == 0 else "end"
        if view.top is not None and view.top.start == 0:
            return "beginning"
        end = view.bottom.end if view.bottom is not None else 0
        return f"{min(99, 100 * end // max(1, window.size))}%"

    # -- keys ---------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key is this tab's as long as it means something here; typing is for the search line."""
        shown = self.there and self.view.display
        if action in ("next", "clear"):
            return shown and self.searcher.active
        if action == "follow":
            return shown and self.live
        if action in ("search", "error", "wrap", "numbers", "line"):
            return shown
        return True

    def action_follow(self) -> None:
        """Follow what is printed, or stay."""
        if self.view.follow:
            self.view.follow = False
            self._update_status()
        else:
            self.view.action_last()

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.view.rows.wrap = not self.view.rows.wrap
        self.view.left = 0
        self.view.relay()

    def action_numbers(self) -> None:
        """Line numbers, or none."""
        view = self.view
        view.numbered = not view.numbered
        if self.file is not None:
            self.file.counting = view.numbered
        if view.numbered:
            self.run_worker(self._count(), group="count", exclusive=True)
        view.relay()

    async def _count(self) -> None:
        """Count lines; those on the screen get their numbers when the count has come to them."""
        file = self.file
        try:
            while file is not None and file is self.file and self.view.numbered:
                complete = await self.bench.access.read(file.count)
                if not self.there:
                    return
                self.view.total = file.index.ends + 1
                if complete:
                    self.want(Wanted("keep"))
                    return
        except OSError:
            return  # the log says it itself

    def action_line(self) -> None:
        """Ask for the number of a line, which ``:`` takes."""
        self.bench.action_command_line()

    def go_to_line(self, number: int) -> None:
        """Show a line by its number, the last one where there are fewer."""
        self.run_worker(self._go_to_line(number), group="line", exclusive=True)

    async def _go_to_line(self, number: int) -> None:
        file, wanted = self.file, number
        try:
            while file is not None and file is self.file and self.there:
                place, lines, complete = await self.bench.access.read(file.offset_of, number)
                if place is not None and place < self.view.window.size:
                    self.view.follow = False
                    if not self.view.reveal(place):
                        self.want(Wanted("hit", place))
                    return
                if complete:
                    last = max(1, lines + (place is None and number > lines + 1) if place is None else lines)
                    if number == 1 or number == last:
                        return
                    self.notify(f"no line {wanted:,}: the log has {last:,}", severity="warning")
                    number = last
        except OSError:
            return  # the log says it itself

    def action_search(self) -> None:
        """Open the search line."""
        self.query_one(LogSearch).open()

    @on(LogSearch.Typed)
    def search_typed(self, event: LogSearch.Typed) -> None:
        """Show where it is on the screen."""
        event.stop()
        self.searcher.preview(event.text)
        self._update_status()

    @on(LogSearch.Left)
    def search_left(self, event: LogSearch.Left) -> None:
        """Go to the first, or back to what was searched for before."""
        event.stop()
        self.focus_content()
        self.searcher.enter(event.text)
        self._update_status()
        self.refresh_bindings()

    def search_went_on(self) -> None:
        """More was searched: say how far it is."""
        if self.there:
            self._update_status()

    def action_next(self, direction: int) -> None:
        """To the next line in which it was found, or to the one before."""
        self.searcher.go(direction)

    def action_error(self) -> None:
        """To the first line that tells of an error; ``n`` goes on to the next."""
        self.searcher.errors()
        self.refresh_bindings()

    def action_clear(self) -> None:
        """End the search."""
        self.searcher.end()
        self.view.lay_out()
        self._update_status()
        self.refresh_bindings()

    async def action_choose(self) -> None:
        """Choose another log of the job."""
        if self.job is None:
            return
        found = await self.bench.access.read(logs, self.job.name)
        if not found:
            self.notify("The job has no log yet.", markup=False)
            return
        choices = [
            Choice(key, each.name, str(index), size(each.size))
            for index, (key, each) in enumerate(zip(KEYS, found, strict=False))
        ]

        def chosen(value: str | None) -> None:
            if value is not None:
                self.open_file(LogFile(found[int(value)].path))

        self.app.push_screen(Menu("Logs", choices), chosen)

    def open_file(self, file: LogFile) -> None:
        """Show another log, at its end."""
        view = self.view
        self.searcher.end()
        file.counting = view.numbered
        self.file = file
        view.follow, view.left, view.total = True, 0, 0
        self.want(Wanted("end"))
        self.run_worker(self._look(), group="look")
        if view.numbered:
            self.run_worker(self._count(), group="count", exclusive=True)

    def action_copy(self) -> None:
        """Copy what is selected, else the line that was found, else what the menu offers."""
        view = self.view
        selected = self.screen.get_selected_text()
        if selected:
            self.bench.copy_text(selected, plural(selected.count("\n") + 1, "line"))
            self.screen.clear_selection()
            return
        if (found := view.current_line) is not None:
            self.bench.copy_text(view.text_of(found), "the line that was found")
            return
        choices = [
            *([Choice("y", "what is on the screen", "screen")] if view.display else []),
            *([Choice("l", "the line at the top", "line")] if view.display else []),
            Choice("p", "the path of the log", "path"),
            Choice("c", "the command that shows it", "command"),
        ]
        self.app.push_screen(Menu("Copy", choices), self._copy)

    def _copy(self, what: str | None) -> None:
        view = self.view
        if what == "screen":
            texts = [view.text_of(line) for line in view.lines_shown()]
            self.bench.copy_text("\n".join(texts), plural(len(texts), "line"))
        elif what == "line" and view.top is not None:
            self.bench.copy_text(view.text_of(view.top), "the line at the top")
        elif what == "path" and self.file is not None:
            self.bench.copy_text(str(self.file.path), "the path of the log")
        elif what == "command":
            self.bench.copy_text(f"workbench job stream {self.job_name}", "the command")
