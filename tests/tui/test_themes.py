"""The themes: readable by computation, right or answered, previewed, kept, and taken up when saved."""

from __future__ import annotations

import asyncio
import math
import tomllib
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from rich.color import Color as RichColor
from rich.segment import Segment
from textual.color import Color
from textual.command import CommandList
from textual.pilot import Pilot
from textual.theme import Theme
from textual.widget import Widget
from textual.widgets._toast import Toast

import themes as shipped
from store.errors import DocumentError, NotFoundError
from store.layout import Layout
from store.workspace import Found
from tests.conftest import ROOT
from tests.many_jobs import add_job, add_jobs
from tests.tui.conftest import Drive, until
from workbench.configuration.model import Configuration
from workbench.configuration.reading import Loaded, config_file, load
from workbench.tui.app import WorkbenchApp
from workbench.tui.sections import named
from workbench.tui.settings import load_settings
from workbench.tui.theme_variables import VARIABLE_DEFAULTS
from workbench.tui.theming import COLOURS, STATES, Themes, automatic
from workbench.tui.widgets.job_table import JobTable
from workbench.tui.widgets.key_hints import KeyHints
from workbench.tui.widgets.log_view import LogView

FOLDER = Path(shipped.__file__).parent
NAMES = Themes(own=Path("/nonexistent")).names()
COLOURED = [name for name in NAMES if name != "sixteen"]
BRIGHT = {"high-contrast": 7.0, "high-contrast-light": 7.0}
TEXTS = ("foreground", "primary", "secondary", "accent", "success", "warning", "error")
OKABE_ITO = {"#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"}
"""M. Okabe, K. Ito: Color Universal Design, 2008; black left out."""

MISSING_CONES = {
    "red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
"""G. Machado, M. Oliveira, L. Fernandes: Simulation of Color Vision Deficiency, 2009."""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder of themes, looked at more often than a person would notice."""
    monkeypatch.setattr("workbench.tui.app.THEME_SECONDS", 0.05)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "config" / "workbench" / "themes"
    folder.mkdir(parents=True)
    return folder


def linear(colour: str) -> list[float]:
    """The three channels as light."""
    channels = [value / 255 for value in Color.parse(colour).rgb]
    return [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""
    lights = sorted(
        sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(each), strict=True)) for each in (one, other)
    )
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def blended(text: str, ground: str) -> str:
    """A colour variable such as ``auto 60%`` as it is painted on a ground."""
    below = Color.parse(ground)
    if text.startswith("auto"):
        return below.blend(below.get_contrast_text(1.0), int(text.split()[1][:-1]) / 100, alpha=1.0).hex
    return text


def values(name: str) -> dict[str, Any]:
    """What a theme's file says."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text())


def test_there_is_a_choice() -> None:
    kinds = [(Themes().theme(name).dark, Themes().theme(name).ansi) for name in NAMES]
    assert kinds.count((True, False)) >= 6
    assert kinds.count((False, False)) >= 3
    assert (True, True) in kinds


@pytest.mark.parametrize("name", NAMES)
def test_a_theme_gives_every_colour(name: str) -> None:
    said = values(name)
    assert said["name"] == name
    assert tuple(said["colours"]) == COLOURS
    assert tuple(said["states"]) == STATES
    assert set(VARIABLE_DEFAULTS) <= set(Themes().theme(name).variables)


@pytest.mark.parametrize("name", COLOURED)
def test_text_is_readable_on_every_ground(name: str) -> None:
    said, wanted = values(name), BRIGHT.get(name, 4.5)
    variables = Themes().theme(name).to_color_system().generate()
    texts = {key: said["colours"][key] for key in TEXTS} | {
        f"state {key}": text for key, text in said["states"].items()
    }
    texts |= {key: variables[key] for key in ("text", "text-muted")}
    for ground in ("background", "surface", "panel"):
        behind = said["colours"][ground]
        for key, text in texts.items():
            assert contrast(blended(text, behind), behind) >= wanted, f"{key} {text} on {ground} {behind}"
        for number, line in enumerate(said["chart"]["series"], 1):
            assert contrast(line, behind) >= max(3.0, wanted - 1.5), f"series {number} {line} on {ground}"
    cursor = blended(variables["block-cursor-foreground"], variables["block-cursor-background"])
    assert contrast(cursor, variables["block-cursor-background"]) >= wanted


@pytest.mark.parametrize("name", COLOURED)
def test_the_lines_of_a_chart_are_eight_different_ones(name: str) -> None:
    assert len(set(values(name)["chart"]["series"])) == 8


def test_the_colour_blind_theme_has_the_palette_of_okabe_and_ito() -> None:
    said = values("colour-blind")
    assert set(said["chart"]["series"]) - {"#bbbbbb"} == OKABE_ITO
    assert set(said["states"].values()) <= OKABE_ITO | {"#dddddd"}


@pytest.mark.parametrize("cone", MISSING_CONES)
def test_states_are_told_apart_with_one_kind_of_cone_missing(cone: str) -> None:
    states = values("colour-blind")["states"]
    seen = {key: lab([sum(w * c for w, c in zip(row, linear(colour), strict=True)) for row in MISSING_CONES[cone]])
            for key, colour in states.items()}  # fmt: skip
    for one, other in combinations(states, 2):
        assert math.dist(seen[one], seen[other]) >= 15, f"{one} and {other} look alike"


def lab(light: list[float]) -> tuple[float, float, float]:
    """Light as CIE L*a*b*, where a distance of 2.3 is just noticed."""
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1.0, 1.089)
    x, y, z = (
        sum(w * min(max(c, 0), 1) for w, c in zip(row, light, strict=True)) / full
        for row, full in zip(rows, white, strict=True)
    )
    fx, fy, fz = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@pytest.mark.parametrize("name", NAMES)
def test_every_section_shows_itself_in_every_theme(name: str, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        assert app.theme == name
        for key in "12345":
            await pilot.press(key)
        await pilot.press("ctrl+p")
        await pilot.pause()
        if name == "sixteen":
            await until(pilot, lambda: any(each.option_count for each in app.screen.query(CommandList)))
            await pilot.pause()
            segments = [segment for strip in app.screen._compositor.render_strips() for segment in strip]
            assert any(segment.style and segment.style.bgcolor == RichColor.from_ansi(4) for segment in segments)
            for segment in segments:
                seen = segment.style and (segment.style.color if segment.text.strip() else None, segment.style.bgcolor)
                for colour in filter(None, seen or ()):
                    assert colour.triplet is None, f"{segment.text!r} in {colour}"
                    assert (colour.number or 0) < 16, f"{segment.text!r} in {colour}"

    drive(script, size=(100, 30), loaded=Loaded(config_file(), Configuration(theme=name)))


def test_in_sixteen_colours_nothing_on_the_cursors_ground_has_a_colour_of_its_own(layout: Layout, drive: Drive) -> None:
    states = ("Completed", "Failed", "Canceled", "Running")
    add_jobs(layout, [(state.lower(), {"status": state, "display_name": state}, {"loss": 0.5}) for state in states])

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await pilot.press("2", "g")
        for _ in states:
            await pilot.pause()
            segments = [segment for strip in app.screen._compositor.render_strips() for segment in strip]
            lit = [each for each in segments if each.style and each.style.bgcolor == RichColor.from_ansi(4)]
            assert {each.style.color for each in lit if each.style and each.text.strip()} == {RichColor.from_ansi(15)}
            await pilot.press("j")

    drive(script, size=(120, 30), loaded=Loaded(config_file(), Configuration(theme="sixteen")))


@pytest.mark.parametrize("name", NAMES)
def test_no_color_leaves_no_colour_and_shows_where_the_cursor_is(
    name: str, layout: Layout, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    add_jobs(layout, [("one", {"display_name": "one"}, {}), ("two", {"display_name": "two"}, {})])

    def drawn(app: WorkbenchApp) -> list[Segment]:
        return [segment for strip in app.screen._compositor.render_strips() for segment in strip]

    def colourless(app: WorkbenchApp) -> bool:
        colours = [colour for each in drawn(app) if each.style for colour in (each.style.color, each.style.bgcolor)]
        return bool(colours) and all(colour is None or colour.is_default for colour in colours)

    def reversed_text(app: WorkbenchApp) -> str:
        return "".join(segment.text for segment in drawn(app) if segment.style and segment.style.reverse)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await pilot.press("2")
        await until(pilot, lambda: "Completed" in reversed_text(app))
        assert colourless(app)
        for other in ("sixteen", "workbench"):  # another one than at the start, of the other kind
            await app.run_command(f"theme {other}")
            await until(pilot, lambda: "Completed" in reversed_text(app))
            assert colourless(app)
            assert any("one" in segment.text for segment in drawn(app))
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "Archive" in reversed_text(app))
        assert colourless(app)
        assert any("╭" in segment.text for segment in drawn(app))

    drive(script, size=(100, 30), loaded=Loaded(config_file(), Configuration(theme=name)))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TERM": "xterm-256color"}, "workbench"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "workbench"),
        ({"TERM": "tmux-256color", "COLORFGBG": "0;15"}, "workbench-light"),
        ({"TERM": "xterm-256color", "COLORFGBG": "15;default;0"}, "workbench"),
        ({"TERM": "linux"}, "sixteen"),
        ({"TERM": "xterm"}, "sixteen"),
        ({}, "workbench"),
    ],
)
def test_the_automatic_theme_is_that_of_the_terminal(environment: dict[str, str], expected: str) -> None:
    assert automatic(environment) == expected


def test_a_theme_of_ones_own_says_what_is_other(own: Path) -> None:
    (own / "mine.toml").write_text('extends = "slate"\n[colours]\nprimary = "#ffffff"\n[states]\nrunning = "red"\n')
    (own / "more.toml").write_text('extends = "mine"\ntitle = "More"\n[variables]\ntext-muted = "auto 70%"\n')
    (own / "slate.toml").write_text('extends = "slate"\n[colours]\naccent = "#010203"\n')
    (own / "pale.toml").write_text("dark = false\n")
    slate, more, pale = (Themes().theme(name) for name in ("slate", "more", "pale"))
    assert (more.primary, more.accent, more.variables["state-running"]) == ("#ffffff", "#010203", "red")
    assert more.variables["text-muted"] == "auto 70%"
    assert slate.secondary == values("slate")["colours"]["secondary"]
    assert (pale.dark, pale.primary) == (False, values("workbench-light")["colours"]["primary"])


BAD = """\
name = "other"
titel = "x"
dark = "yes"
extends = "slat"

[colours]
primary = "#12345"
secundary = "#123456"
accent = "lihgt blue"

[states]
done = "#123456"

[chart]
series = ["#123456"]
grid = 3

[variables]
text-mutted = "#123456"
text = "auto 60"
link-style = "underlined"
"""


def test_a_bad_theme_is_answered_with_every_fault_and_its_place(own: Path) -> None:
    (own / "bad.toml").write_text(BAD)
    with pytest.raises(DocumentError) as raised:
        Themes().theme("bad")
    places = [(fault.line, fault.column, fault.path) for fault in raised.value.faults]
    assert places == [
        (1, 8, "name"),
        (2, 1, "titel"),
        (3, 8, "dark"),
        (4, 11, "extends"),
        (7, 11, "colours.primary"),
        (8, 1, "colours.secundary"),
        (9, 10, "colours.accent"),
        (12, 1, "states.done"),
        (15, 10, "chart.series"),
        (16, 8, "chart.grid"),
        (19, 1, "variables.text-mutted"),
        (20, 8, "variables.text"),
        (21, 14, "variables.link-style"),
    ]
    text = str(raised.value)
    for nearest in ("title", "slate", "secondary", "text-muted", "underline"):
        assert f"did you mean {nearest!r}?" in text, text


def test_themes_do_not_extend_each_other_in_a_circle(own: Path) -> None:
    (own / "a.toml").write_text('extends = "b"\n')
    (own / "b.toml").write_text('extends = "a"\n')
    with pytest.raises(DocumentError, match=r"b\.toml:1:11: extends: there is no theme 'a' to extend"):
        Themes().theme("a")


@pytest.mark.parametrize("name", ["slat", "../slate", ""])
def test_a_theme_that_is_not_there(name: str, own: Path) -> None:
    with pytest.raises(NotFoundError):
        Themes().theme(name)


def test_the_program_goes_on_in_the_default_theme_and_says_why(own: Path, drive: Drive) -> None:
    (own / "mine.toml").write_text('[colours]\nprimary = "nope"\n')

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        assert app.theme == "workbench"
        told = await until(pilot, lambda: [each.message for each in app._notifications])
        assert told[0].startswith("mine.toml:2:11: colours.primary: expected a colour, got 'nope'")
        (own / "mine.toml").write_text('[colours]\nprimary = "#ffffff"\n')
        await until(pilot, lambda: app.theme == "mine")

    drive(script, loaded=Loaded(config_file(), Configuration(theme="mine")))


def test_bad_settings_are_said_and_the_rest_holds(own: Path, drive: Drive) -> None:
    config_file().write_text('theme = "slat"\ndefault_section = "jobs"\n[keys]\napp.help = "f9"\napp.jump = "ctl+x"\n')

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        assert app.frame.section is not None
        assert app.frame.section.name == "jobs"
        told = await until(pilot, lambda: [each.message for each in app._notifications])
        assert told == [
            "config.toml:1:9: theme: there is no theme 'slat'; did you mean 'slate'?\n"
            "1 more. The defaults are in force. `workbench config show` tells all."
        ]
        await pilot.press("f9")
        await until(pilot, lambda: type(app.screen).__name__ == "Help")

    drive(script, loaded=load_settings(Themes()))


def test_a_theme_is_shown_beforehand_and_escape_brings_the_old_one_back(own: Path, drive: Drive) -> None:
    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        before = app.theme
        app.action_change_theme()
        await until(pilot, lambda: any(each.option_count for each in app.screen.query(CommandList)))
        assert app.theme == before
        await pilot.press(*"daylight")
        await until(pilot, lambda: app.theme == "daylight")
        surface = app.screen.query_one("#--container").styles.background
        assert surface.hex.lower() == values("daylight")["colours"]["surface"]
        await pilot.press("escape")
        await until(pilot, lambda: app.theme == before)
        assert not config_file().exists()

    drive(script)


def test_a_theme_that_is_chosen_is_kept(own: Path, drive: Drive) -> None:
    config_file().write_text("# mine\nmouse = false\n")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.action_change_theme()
        await until(pilot, lambda: any(each.option_count for each in app.screen.query(CommandList)))
        await pilot.press(*"forest")
        await until(pilot, lambda: app.theme == "forest")
        await pilot.press("enter")
        await until(pilot, lambda: load().configuration.theme == "forest")
        assert app.theme == "forest"

    drive(script)
    assert config_file().read_text() == '# mine\nmouse = false\ntheme = "forest"\n'


def test_a_theme_of_ones_own_is_taken_up_when_it_is_saved(own: Path, drive: Drive) -> None:
    (own / "base.toml").write_text('[colours]\nbackground = "#101010"\n')
    (own / "mine.toml").write_text('extends = "base"\n')

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        def ground() -> str:
            return app.screen.styles.background.hex

        assert ground() == "#101010"
        (own / "base.toml").write_text('[colours]\nbackground = "#202020"\n')
        await until(pilot, lambda: ground() == "#202020")
        (own / "base.toml").write_text('[colours]\nbackground = "#2020"\nx = 1\n')
        told = await until(pilot, lambda: [each.message for each in app._notifications])
        assert "base.toml:3:1: colours.x: unknown key 'x'" in told[0]
        assert ground() == "#202020"
        (own / "mine.toml").unlink()
        await until(pilot, lambda: app.theme == "workbench")
        await until(pilot, lambda: any("'mine' is gone" in each.message for each in app._notifications))
        await app.run_command("theme slat")
        await until(
            pilot, lambda: any("no theme 'slat'. Did you mean 'slate'?" in each.message for each in app._notifications)
        )

    drive(script, loaded=Loaded(config_file(), Configuration(theme="mine")))


def test_the_documented_themes_are_those_that_there_are() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text().partition("## Themes")[2].partition("`auto` is")[0]
    for name in NAMES:
        assert f"`{name}`" in page
    assert isinstance(Themes().theme(NAMES[0]), Theme)


def test_the_first_fault_of_the_file_is_said_whatever_is_checked_first(own: Path, drive: Drive) -> None:
    """Keys are checked at the end."""
    config_file().write_text('[keys]\napp.jump = "ctl+x"\n[filters]\nbad = "state:"\n[refresh]\nlocal = "no"\n')

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        told = await until(pilot, lambda: [each.message for each in app._notifications])
        assert told[0].startswith("config.toml:2:12: keys.app.jump: there is no key 'ctl+x'")
        assert "\n2 more. The defaults are in force." in told[0]
        assert [fault.line for fault in app.loaded.faults] == [2, 4, 6]

    drive(script, loaded=load_settings(Themes()))


def test_what_is_wrong_with_settings_covers_three_lines_and_goes_by_escape(own: Path, layout: Layout) -> None:
    config_file().write_text('theme = "slat"\n[keys]\napp.jump = "ctl+x"\n')

    async def scene() -> None:
        app = WorkbenchApp(Found(layout, "option"), loaded=load_settings(Themes()))
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await script(app, pilot)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        toast = (await until(pilot, lambda: app.screen.query(Toast))).first()
        await until(pilot, lambda: toast.region.area)
        assert toast.region.height <= 3
        assert toast.region.bottom == app.screen.query_one(KeyHints).region.y
        await pilot.press("3", "2")
        await until(pilot, lambda: app.frame.section is named("jobs"))
        await pilot.press("escape")
        await until(pilot, lambda: not app.screen.query(Toast))
        assert app.frame.section is named("jobs"), "nothing else was left by that key"
        await pilot.press("escape")
        await until(pilot, lambda: app.frame.section is named("data"))

    asyncio.run(scene())


def test_the_right_edge_of_a_list_that_is_too_short_to_scroll_has_the_ground_of_the_list(
    layout: Layout, drive: Drive
) -> None:
    add_job(layout, "one")
    logs = layout.job("one").user_logs
    logs.mkdir(parents=True, exist_ok=True)
    (logs / "std_log.txt").write_text("a line\n")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        def edge(widget: Widget) -> set[str]:
            strips = app.screen._compositor.render_strips()[widget.region.y + 3 : widget.region.bottom]
            return {str(list(strip)[-1].style.bgcolor.name) for strip in strips}  # type: ignore[union-attr]

        ground = app.current_theme.background
        await app.run_command("jobs")
        await until(pilot, lambda: app.frame.view is not None and app.frame.view.has_content)
        await pilot.pause()
        assert edge(app.screen.query_one(JobTable)) == {ground}
        await app.open_job("one", "log")
        shown = await until(pilot, lambda: app.screen.query(LogView))
        await until(pilot, lambda: shown.first().region.area and shown.first().display)
        await pilot.pause()
        assert edge(shown.first()) == {ground}

    drive(script)
