"""Jobs side by side: first what differs, their curves in one chart, repeated runs as mean and spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby, takewhile
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from workbench.tui.glyphs import kind_of_state
from workbench.tui.job_actions import JobActions
from workbench.tui.job_columns import elapsed, number
from workbench.tui.widgets.chart_legend import SERIES
from workbench.tui.widgets.compare_table import CompareTable, Head, Line
from workbench.tui.widgets.file_tree import size_text
from workbench.tui.widgets.line_chart import LineChart
from workbench.tui.widgets.menu import Choice, Menu
from workbench.tui.widgets.series import XY
from workbench.tui.widgets.text_dialog import TextDialog
from workbench.tui.widgets.text_pane import Line as TextLine

if TYPE_CHECKING:
    from engines.jobs.comparison import Row, Subject
    from engines.jobs.repeats import Group, Spread

MAX_POINTS = 2000
REPEATS = "repeats"
SHARED = 4
"""Shorter beginnings are left to the names that share them."""
VALUE_CELLS = 14
"""What a legend has beside a name."""


class CompareView(JobActions):
    """The table, or the chart of one metric."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "all", "all rows", id="compare.all"),
        Binding("u", "group", "group runs", id="compare.group"),
        Binding("v", "curves", "curves", id="compare.curves"),
        Binding("o", "open_job", "open job", id="compare.job"),
        Binding("b", "base", "base", id="compare.base"),
        Binding("right_square_bracket", "metric(1)", "next metric", id="compare.next_metric", key_display="]"),
        Binding("left_square_bracket", "metric(-1)", "Metric before", show=False, id="compare.previous_metric"),
        Binding("s", "smooth", "smooth", id="compare.smooth"),
        Binding("L", "log", "log scale", id="compare.log"),
        Binding("escape", "table", "Back to the table, or back", show=False, id="compare.table"),
    ]

    NEED_CONTENT = frozenset(f"compare.{name}" for name in ("all", "group", "curves", "job", "base", "next_metric"))

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = list(dict.fromkeys(names))
        self.crumb = f"compare {len(self.names)}"
        self.place = f"compare {' '.join(self.names)}"
        self.subjects: list[Subject] = []
        self.rows: list[Row] = []
        self.with_same = False
        self.grouping: str | None = None
        """``REPEATS``, or ``by:`` and the name of a parameter."""
        self.metric: str | None = None
        """Whose curves are shown; None for the table."""
        self.weight = 0.0
        self.log_scale = False
        self._code: tuple[tuple[str | None, ...], list[Row]] | None = None

    def compose_content(self) -> Iterable[Widget]:
        """A line that says what is shown, and the table or the chart."""
        yield Static("", classes="compare-status", markup=False)
        yield CompareTable()
        chart = LineChart(classes="compare-chart")
        chart.display = False
        yield chart

    @property
    def table(self) -> CompareTable:
        """The table."""
        return self.query_one(CompareTable)

    @property
    def chart(self) -> LineChart:
        """The chart."""
        return self.query_one(LineChart)

    def chosen_names(self) -> list[str]:
        """The job in the column of the cursor; of a group all."""
        if not self.subjects:
            return []
        members = self.groups[self.table.column].members if self.table.column < len(self.groups) else ()
        return [self.subjects[member].job.name for member in members]

    # -- reading ------------------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Read the jobs, then their code, which takes longer; it cannot change any more."""
        from engines.jobs.comparison import compare
        from workbench.tui import reading_compare

        if len(self.names) < 2:
            mark, go = self.bench.key_of("jobs.mark", "space"), self.bench.key_of("job.compare", "c")
            self.show_empty(
                "Two jobs are compared, or more", f"{mark} marks them in the list of jobs, {go} compares them"
            )
            return
        self.subjects = await self.bench.access.read(reading_compare.subjects, self.names)
        snapshots = tuple(subject.job.snapshot for subject in self.subjects)
        code = self._code[1] if self._code is not None and self._code[0] == snapshots else []
        self.rows = [*compare(self.subjects), *code]
        self._paint()
        self.show_content()
        if self._code is None or self._code[0] != snapshots:
            found = await self.bench.access.read(reading_compare.code, [subject.job for subject in self.subjects])
            self._code = snapshots, found
            self.rows = [*compare(self.subjects), *found]
            self._paint()
        if self.metric is not None:
            await self._read_curves()

    async def _read_curves(self) -> None:
        """Draw the curves of the metric: of each job, or of each group the mean and how far it spreads."""
        from engines.jobs.repeats import mean_curve
        from workbench.tui import reading_compare

        metric = self.metric
        if metric is None:
            return
        read = self.bench.access.read
        found = await read(reading_compare.histories, [each.job.name for each in self.subjects], metric, MAX_POINTS)
        if metric != self.metric or not self.is_attached:
            return
        curves: list[tuple[str, Sequence[XY], Sequence[XY]]] = []
        for group, head in zip(self.groups, self._heads(), strict=True):
            own = [found[member] for member in group.members]
            means = mean_curve(own) if len(own) > 1 else []
            points = own[0] if len(own) == 1 else [(x, each.mean) for x, each in means]
            spread = [(x, each.deviation) for x, each in means if each.deviation is not None]
            curves.append((head.title, points, spread))
        told = [curve for curve in curves if curve[1]][:SERIES]
        names = told_apart([name for name, *_ in told], self.size.width)
        live = any(not subject.job.finished for subject in self.subjects)
        self.chart.show(without="no points yet" if live else "no points were logged", paint=False)
        self.chart.set_curves(
            [(name, points) for name, (_, points, _) in zip(names, told, strict=True)],
            title=metric,
            spreads={name: spread for name, (*_, spread) in zip(names, told, strict=True)},
        )

    # -- what is shown ------------------------------------------------------------------------------------------

    @property
    def groups(self) -> list[Group]:
        """The columns: a job each, or jobs that count as one."""
        from engines.jobs.repeats import Group, group_by, group_repeats

        if self.grouping is None:
            return [Group((index,), {}) for index in range(len(self.subjects))]
        if self.grouping == REPEATS:
            return group_repeats(self.subjects)
        return group_by(self.subjects, self.grouping.removeprefix("by:"))

    def _paint(self) -> None:
        """Lay out the rows that are asked for."""
        groups = self.groups
        differing = [row for row in self.rows if row.differs]
        lines: list[Line] = []
        for section, rows in groupby(differing, lambda row: row.section):
            lines += self._lines(section, list(rows), groups)
        same = [row for row in self.rows if not row.differs]
        if self.with_same and same:
            lines.append(Line("the same in all"))
            lines += [line for row in same for line in self._lines("", [row], groups)]
        self.table.show_lines(self._heads(), lines)
        self._tell(len(differing), len(same), groups)

    def _lines(self, section: str, rows: list[Row], groups: list[Group]) -> list[Line]:
        from engines.jobs.repeats import grouped_row

        found = [Line(section.replace("_", " "))] if section else []
        for row in rows:
            spreads: list[Spread | None] = []
            told = row
            if self.grouping is not None:
                told, spreads = grouped_row(row, groups)
            cells = tuple(cell_text(told, index, spreads[index] if spreads else None) for index in range(len(groups)))
            found.append(Line(row.title, cells, told.best, (row.section, row.name), row.differs))
        return found

    def _heads(self) -> list[Head]:
        signs = self.bench.signs
        heads: list[Head] = []
        titles = Counter(each.job.display_name for each in self.subjects)
        for group in self.groups:
            first = self.subjects[group.members[0]]
            if self.grouping is not None:
                count = len(group.members)
                heads.append(Head(group.title, f"{count} run{'' if count == 1 else 's'}"))
                continue
            job = first.job
            ran = f" {elapsed(first.seconds)}" if first.seconds is not None else ""
            name = job.display_name if job.display_name and titles[job.display_name] == 1 else job.name
            heads.append(Head(name, f"{signs.state(job.status)} {job.status}{ran}", kind_of_state(job.status)))
        return heads

    def _tell(self, differing: int, same: int, groups: list[Group]) -> None:
        parts = [f"{len(self.subjects)} jobs"]
        if self.grouping is not None:
            by = "repeated runs" if self.grouping == REPEATS else self.grouping.removeprefix("by:")
            drawn = " (dotted)" if self.metric is not None and self.bench.signs.unicode else ""
            sign = "±" if self.bench.signs.unicode else "+-"
            parts[0] += f" in {len(groups)} groups by {by}: mean {sign} deviation{drawn}"
        if self.metric is not None:
            parts.append(f"curves of {self.metric}")
            if len(groups) > SERIES:
                parts.append(f"the first {SERIES}")
            if self.weight:
                parts.append(f"~ smoothed by {self.weight:g}")
        else:
            parts.append(f"{differing} differ" if differing else "nothing differs")
            shows = f" ({self.bench.key_of('compare.all', 'a')} shows them)"
            parts.append(f"{same} are the same{'' if self.with_same or not same else shows}")
        self.query_one(".compare-status", Static).update("  ".join(parts))

    # -- keys ---------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What draws the chart works where there is one."""
        if action in ("smooth", "log"):
            return self.metric is not None
        if action in ("all", "base", "open_job", "copy_menu"):
            return self.metric is None
        return action != "compare_jobs"

    def focus_content(self) -> None:
        """The table, or the chart."""
        if not self.query_one(".content").display:
            super().focus_content()
        elif self.metric is None:
            self.screen.set_focus(self.table, scroll_visible=False)
        else:
            self.screen.set_focus(self.chart, scroll_visible=False)

    def action_all(self) -> None:
        """Show what is the same too, or what differs alone."""
        self.with_same = not self.with_same
        self._paint()

    def action_base(self) -> None:
        """Hold the others against the job in the column of the cursor."""
        chosen = self.chosen_names()
        if self.grouping is None and chosen:
            self.names = [*chosen, *(name for name in self.names if name not in chosen)]
            self.table.column = self.table.first_column = 0
            self.reload()

    async def action_open_job(self) -> None:
        """Open the job in the column of the cursor."""
        chosen = self.chosen_names()
        if chosen:
            await self.bench.open_job(chosen[0])

    def action_group(self) -> None:
        """Count repeated runs as one, or those with the same value of a parameter; or each job by itself."""
        given = [row.name for row in self.rows if row.section in ("parameters", "inputs") and row.differs]
        names = list(dict.fromkeys(given))
        choices = [
            Choice("0", "each job by itself", ""),
            Choice("r", "repeated runs", REPEATS, "all the same but for seeds"),
            *(Choice(str(index), f"by {name}", f"by:{name}") for index, name in enumerate(names[:9], 1)),
        ]

        def take(chosen: str | None) -> None:
            if chosen is None:
                return
            self.grouping = chosen or None
            self.table.column = self.table.first_column = 0
            self._paint()
            if self.metric is not None:
                self.read_guarded(self._read_curves)

        self.app.push_screen(Menu("Group", choices), take)

    @property
    def metrics(self) -> list[str]:
        """The metrics that the jobs have."""
        return [row.name for row in self.rows if row.section == "metrics"]

    def action_curves(self) -> None:
        """Show the curves of the metric under the cursor, or the table again."""
        if self.metric is not None:
            self.action_table()
            return
        names = self.metrics
        if not names:
            self.notify("none of these jobs logged a metric", severity="warning")
            return
        key = self.table.key
        self._show_metric(key[1] if key is not None and key[1] in names and key[0] == "metrics" else self._main(names))

    def _main(self, names: list[str]) -> str:
        from store.main_metric import main_metric

        return main_metric(names, self.subjects[0].job.document, self.bench.configuration.main_metric) or names[0]

    def _show_metric(self, name: str) -> None:
        self.metric = name
        self.table.display, self.chart.display = False, True
        self._paint()
        self.read_guarded(self._read_curves)
        self.focus_content()
        self.refresh_bindings()

    def action_metric(self, steps: int) -> None:
        """The curves of another metric."""
        names = self.metrics
        if not names:
            return
        if self.metric is None:
            self.action_curves()
        else:
            self._show_metric(names[(names.index(self.metric) + steps) % len(names)])

    def action_smooth(self) -> None:
        """Smooth the curves more, or not at all."""
        weights = (0.0, 0.6, 0.9, 0.99)
        self.weight = weights[(weights.index(self.weight) + 1) % len(weights)]
        self.chart.show(weight=self.weight)
        self._paint()

    def action_log(self) -> None:
        """A logarithmic y axis, or a linear one."""
        self.log_scale = not self.log_scale
        self.chart.show(log=self.log_scale)

    def action_table(self) -> None:
        """From the curves to the table; from there back."""
        if self.metric is None:
            self.app.run_worker(self.bench.action_back())
            return
        self.metric = None
        self.table.display, self.chart.display = True, False
        self._paint()
        self.focus_content()
        self.refresh_bindings()

    @on(CompareTable.Opened)
    def row_opened(self, event: CompareTable.Opened) -> None:
        """Show what each job has, whole; of code the differences."""
        event.stop()
        row = next((row for row in self.rows if (row.section, row.name) == event.key), None)
        if row is not None:
            names = [subject.job.name for subject in self.subjects]
            self.app.push_screen(TextDialog(f"{row.section.replace('_', ' ')} {row.name}".strip(), whole(row, names)))


def told_apart(names: Sequence[str], width: int) -> list[str]:
    """Names without the beginning that all of them share, where they have no room beside each other."""
    if sum(cell_len(name) + VALUE_CELLS for name in names) <= width:
        return list(names)
    pairs = zip(min(names, default=""), max(names, default=""), strict=False)
    shared = "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    kept = shared.rstrip("0123456789.") if len(shared) > SHARED and len(set(names)) > 1 else ""
    return [f"…{name.removeprefix(kept)}" if kept else name for name in names]


def cell_text(row: Row, index: int, found: Spread | None = None) -> str:
    """A value in few signs."""
    if not row.numbers:
        value = row.values[index]
        return "-" if value is None else " ".join(value.split())
    shown = row.numbers[index]
    if shown is None:
        return "-"
    form = {"duration": elapsed, "peak memory": lambda each: size_text(round(each))}.get(row.name)
    told = form if row.section == "run" and form is not None else number
    if found is not None and found.deviation is not None:
        return f"{told(found.mean)} ± {told(found.deviation)}"
    return told(shown)


def whole(row: Row, names: Sequence[str]) -> list[TextLine]:
    """What each job has for a row, without anything left out."""
    lines: list[TextLine] = []
    for index, name in enumerate(names):
        value = row.values[index]
        lines.append([(name, "heading")])
        lines += [[(f"  {line}", "")] for line in ("-" if value is None else value).split("\n")]
        for line in row.details[index] if row.details else ():
            style = {"+": "added", "-": "removed", "@": "comment"}.get(line[:1], "")
            lines.append([(f"  {line}", style)])
    return lines
