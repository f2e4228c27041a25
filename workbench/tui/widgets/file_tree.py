"""The rows of a tree of files: a cursor that stays with its row, folders that open, sizes to the right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.tui.job_columns import cell

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp
    from workbench.tui.job.output_tree import Row

SIZE_WIDTH = 8


class FileTree(ScrollView, can_focus=True):
    """Draws rows; says which one is under the cursor and which is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", id="files.open"),
        Binding("right", "unfold", "Open the folder", show=False, id="files.unfold"),
        Binding("left", "close", "Close the folder", show=False, id="files.close"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("g,home", "first", "First", show=False, id="list.first"),
        Binding("G,end", "last", "Last", show=False, id="list.last"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"files--cursor", "files--folder", "files--muted"}

    class Selected(Message):
        """Another row is under the cursor."""

    class Opened(Message):
        """A row was opened."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    class Closed(Message):
        """The folder of a row is to be closed."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self.cursor = 0
        self._painted: dict[int, object] = {}

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def take(self, rows: Sequence[Row]) -> None:
        """Show other rows."""
        before = self.row
        self.rows = list(rows)
        keys = [row.key for row in self.rows]
        if before is not None and before.key in keys:
            self.cursor = keys.index(before.key)
        else:
            self.cursor = max(0, min(self.cursor, len(keys) - 1))
        self.virtual_size = Size(self.size.width, len(self.rows))
        self._show_cursor()
        self._repaint()
        if before is None or self.row is None or before.key != self.row.key:
            self.post_message(self.Selected())

    # -- drawing ------------------------------------------------------------------------------------------------

    def _repaint(self) -> None:
        for y in range(self.size.height):
            if self._painted.get(y, self) != self._signature(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def _signature(self, y: int) -> object:
        number = self.scroll_offset.y + y
        row = self.rows[number] if number < len(self.rows) else None
        return row, number == self.cursor, self.has_focus, self.size.width

    def render_line(self, y: int) -> Strip:
        """A row: how deep it lies, whether it is open, its name, its size."""
        self._painted[y] = self._signature(y)
        width, number = self.scrollable_content_region.width, self.scroll_offset.y + y
        if number >= len(self.rows):
            return Strip.blank(width, self.rich_style)
        row, signs = self.rows[number], cast("WorkbenchApp", self.app).signs
        at_cursor = number == self.cursor
        base = self.get_component_rich_style("files--cursor") if at_cursor and self.has_focus else self.rich_style
        is_folder = row.entry is not None and row.entry.is_folder
        sign = (signs.unfolded if row.is_open else signs.folded) if is_folder or row.rest_of else " "
        size = "" if row.entry is None or is_folder else size_text(row.entry.size)
        link = f" -> {row.entry.link}" if row.entry is not None and row.entry.link else ""
        name = f"{'  ' * row.depth}{sign} {row.title}{link}"
        name_style = base
        if is_folder and not (at_cursor and self.has_focus):
            name_style = base + self.get_component_rich_style("files--folder")
        muted = base if at_cursor and self.has_focus else base + self.get_component_rich_style("files--muted")
        room = max(1, width - SIZE_WIDTH - 3)
        return Strip(
            [
                Segment(f"{signs.cursor if at_cursor else ' '}", base),
                Segment(cell(name, room, signs), muted if row.entry is None else name_style),
                Segment(f" {size:>{SIZE_WIDTH}} ", muted),
            ]
        ).adjust_cell_length(width, base)

    def on_focus(self) -> None:
        self._repaint()

    def on_blur(self) -> None:
        self._repaint()

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self.rows))
        self._show_cursor()

    # -- keys ---------------------------------------------------------------------------------------------------

    def _show_cursor(self) -> None:
        top, height = self.scroll_offset.y, self.size.height
        if not height:
            return
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)

    def move_to(self, number: int) -> None:
        """Put the cursor on a row."""
        number = max(0, min(number, len(self.rows) - 1))
        if number == self.cursor:
            return
        self.cursor = number
        self._show_cursor()
        self._repaint()
        self.post_message(self.Selected())

    def action_move(self, rows: int) -> None:
        """Another row."""
        self.move_to(self.cursor + rows)

    def action_page(self, screens: int) -> None:
        """A screen further."""
        self.move_to(self.cursor + screens * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """The first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """The last row."""
        self.move_to(len(self.rows) - 1)

    def action_open(self) -> None:
        """Open a folder, the rest of one, or a file."""
        if self.row is not None:
            self.post_message(self.Opened(self.row))

    def action_unfold(self) -> None:
        """Open a folder; one that is open stays so."""
        if self.row is not None and not self.row.is_open:
            self.post_message(self.Opened(self.row))

    def action_close(self) -> None:
        """Close the folder, or the one that this row lies in."""
        row = self.row
        if row is None:
            return
        if row.is_open:
            self.post_message(self.Closed(row))
            return
        above = [number for number in range(self.cursor) if self.rows[number].depth < row.depth]
        if above:
            self.move_to(above[-1])

    def jump_places(self) -> Iterable[tuple[Offset, Callable[[], object]]]:
        """Each row in sight."""
        top = self.scroll_offset.y
        for number in range(top, min(top + self.size.height, len(self.rows))):
            yield Offset(0, number - top), partial(self.move_to, number)

    def on_click(self, event: events.Click) -> None:
        """Select; a second click opens."""
        number = self.scroll_offset.y + event.y
        if number < len(self.rows):
            self.move_to(number)
            if event.chain == 2 or event.x < cell_len("  " * (self.rows[number].depth + 1)):
                self.action_open()


def size_text(count: int) -> str:
    """A size in four signs and a unit."""
    if count < 1000:
        return f"{count} B"
    size = float(count)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.5:
            return f"{size:.1f} {unit}" if size < 99.95 else f"{size:.0f} {unit}"
    return f"{size / 1000:.1f} TB"
