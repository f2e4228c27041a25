"""The tab with a job's files, over jobs that really ran: folders that open, previews, what is copied."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from store import folder_pages
from store.layout import Layout
from tests.conftest import Cli
from tests.many_jobs import add_job
from tests.tui.conftest import Drive, until
from workbench.tui.app import WorkbenchApp
from workbench.tui.glyphs import ASCII, UNICODE
from workbench.tui.job.outputs import OutputsTab
from workbench.tui.job.preview import image_preview, kind_of, parquet_preview, read_head, table_lines
from workbench.tui.widgets.file_tree import size_text
from workbench.tui.widgets.text_pane import TextPane

BOMB = """
import pathlib, pickle
class Bomb:
    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path({place!r}),)
"""


def fill(layout: Layout, name: str = "left_much") -> Path:
    """A finished job with artifacts of many kinds; their folder."""
    add_job(layout, name)
    outputs = layout.artifacts(name) / "outputs"
    outputs.mkdir(parents=True)
    (outputs / "a.json").write_text(json.dumps({"accuracy": 0.5, "names": ["猫", "x"]}))
    (outputs / "b.csv").write_text("id,name\n1,one\n2,two\n")
    (outputs / "c.txt").write_text("first line\nsecond line\n")
    (outputs / "d.bin").write_bytes(bytes(range(256)))
    many = outputs / "many"
    many.mkdir()
    for number in range(450):
        (many / f"part-{number:04d}").write_text(str(number))
    return outputs


async def open_outputs(app: WorkbenchApp, pilot: Pilot[None], name: str = "left_much") -> OutputsTab:
    await app.open_job(name, "outputs")
    await until(pilot, lambda: app.frame.query("OutputsTab FileTree") and app.frame.query_one(OutputsTab).files.rows)
    tab = app.frame.query_one(OutputsTab)
    await until(pilot, lambda: tab.files.has_focus)
    return tab


async def go_to(tab: OutputsTab, pilot: Pilot[None], title: str) -> None:
    titles = [row.title for row in tab.files.rows]
    tab.files.move_to(titles.index(title))
    await pilot.pause()


async def preview_of(tab: OutputsTab, pilot: Pilot[None], title: str, part: str) -> str:
    """The preview of a file, as soon as it has a part that is waited for."""
    await go_to(tab, pilot, title)
    pane = tab.query_one(TextPane)
    await until(pilot, lambda: part in pane.text or part in str(tab.query_one(".outputs-title").render()))
    return pane.text


def test_folders_open_a_page_at_a_time(layout: Layout, drive: Drive) -> None:
    fill(layout)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[Any]:
        tab = await open_outputs(app, pilot)
        titles = [row.title for row in tab.files.rows]
        await go_to(tab, pilot, "many")
        await pilot.press("enter")
        await until(pilot, lambda: any(row.title == "250 more" for row in tab.files.rows))
        pages = [len(tab.files.rows)]
        for rest in ("250 more", "50 more"):
            await go_to(tab, pilot, rest)
            await pilot.press("enter")
            await until(pilot, lambda rest=rest: all(row.title != rest for row in tab.files.rows))
            pages.append(len(tab.files.rows))
        last = [row.title for row in tab.files.rows if row.title.startswith("part-")][-1]
        await pilot.press("left", "left")
        await until(pilot, lambda: len(tab.files.rows) == len(titles))
        return [titles, pages, last]

    titles, pages, last = drive(script)
    assert titles[:6] == ["artifacts", "outputs", "many", "a.json", "b.csv", "c.txt"]
    assert pages == [len(titles) + 201, len(titles) + 401, len(titles) + 450]
    assert last == "part-0449"


def test_previews_show_the_beginning_of_each_kind(layout: Layout, drive: Drive) -> None:
    fill(layout)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> dict[str, str]:
        tab = await open_outputs(app, pilot)
        return {
            "json": await preview_of(tab, pilot, "a.json", '"accuracy": 0.5'),
            "csv": await preview_of(tab, pilot, "b.csv", "2 columns, 2 rows"),
            "text": await preview_of(tab, pilot, "c.txt", "second line"),
            "bytes": await preview_of(tab, pilot, "d.bin", "000010"),
        }

    found = drive(script)
    assert '    "猫",' in found["json"].split("\n")
    assert found["csv"].split("\n") == ["id  name", " 1  one ", " 2  two "]
    assert found["bytes"].startswith("000000  00 01 02")


@pytest.mark.slow
def test_tables_and_pictures_are_read_by_a_child(layout: Layout, drive: Drive) -> None:
    pandas, image = pytest.importorskip("pandas"), pytest.importorskip("PIL.Image")
    outputs = fill(layout)
    pandas.DataFrame({"x": range(500), "label": ["ab"] * 500}).to_parquet(outputs / "e.parquet")
    image.new("RGB", (40, 20), (255, 0, 0)).save(outputs / "f.png")
    (outputs / "g.png").write_bytes(b"\x89PNG\r\n and nothing more")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> list[str]:
        tab = await open_outputs(app, pilot)
        table = await preview_of(tab, pilot, "e.parquet", "the first 200 of 500 rows")
        picture = await preview_of(tab, pilot, "f.png", "PNG 40 × 20")
        broken = await preview_of(tab, pilot, "g.png", "cannot be read")
        return [table, picture, broken]

    table, picture, broken = drive(script)
    assert table.split("\n")[1].split() == ["0", "ab"]
    assert set(picture) == {"▀", "\n"} and not broken


def test_a_pickle_is_never_loaded(layout: Layout, drive: Drive, tmp_path: Path) -> None:
    outputs, sign = fill(layout), tmp_path / "loaded"
    scope: dict[str, Any] = {}
    exec(BOMB.format(place=str(sign)), scope)
    (outputs / "model.dat").write_bytes(pickle.dumps(scope["Bomb"]()))

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        return await preview_of(await open_outputs(app, pilot), pilot, "model.dat", "may run code")

    assert "first bytes" in drive(script)
    assert not sign.exists()


def test_a_file_is_copied_into_a_folder(layout: Layout, drive: Drive, tmp_path: Path) -> None:
    fill(layout)

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        tab = await open_outputs(app, pilot)
        await go_to(tab, pilot, "c.txt")
        await pilot.press("D")
        await until(pilot, lambda: app.screen.query("Input"))
        app.screen.query_one("Input").value = str(tmp_path / "copies")
        await pilot.press("enter")
        await until(pilot, lambda: (tmp_path / "copies" / "c.txt").exists())

    drive(script)
    assert (tmp_path / "copies" / "c.txt").read_text() == "first line\nsecond line\n"


def test_a_job_without_files_says_so(layout: Layout, drive: Drive) -> None:
    add_job(layout, "left_nothing")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> str:
        await app.open_job("left_nothing", "outputs")
        await until(pilot, lambda: app.frame.query("OutputsTab .notice"))
        notice = app.frame.query_one("OutputsTab .notice")
        await until(pilot, lambda: "no files" in str(notice.render()))
        await until(pilot, lambda: notice.has_focus)
        return str(notice.render())

    assert "outputs/" in drive(script)


@pytest.mark.slow
def test_a_real_job_is_followed_while_it_writes(layout: Layout, drive: Drive, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text(
        "command: mkdir -p outputs; echo one > outputs/one.txt; while [ ! -e $GO ]; do sleep 0.05; done;"
        " echo two > outputs/two.txt\n"
        f"environment_variables: {{GO: {tmp_path / 'go'}}}\n"
    )
    cli("job", "create", "-f", tmp_path / "job.yml", "--name", "writes")

    async def script(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        tab = await open_outputs(app, pilot, "writes")
        await until(pilot, lambda: any("being written" in row.title for row in tab.files.rows))
        await go_to(tab, pilot, "outputs (being written)")
        if tab.files.row is not None and not tab.files.row.is_open:  # the first of all is open from the beginning
            await pilot.press("enter")
        await until(pilot, lambda: any(row.title == "one.txt" for row in tab.files.rows))
        (tmp_path / "go").touch()
        await until(pilot, lambda: tab.job is not None and tab.job.finished)
        await until(
            pilot,
            lambda: (
                tab.files.rows[0].title == "artifacts"
                and not any("being written" in row.title for row in tab.files.rows)
            ),
        )

    drive(script, refresh_hz=10)


def test_pages_of_a_folder_meet_every_entry_once(tmp_path: Path) -> None:
    for number in range(25):
        (tmp_path / f"file-{number:02d}").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    met: list[str] = []
    place = None
    while True:
        page = folder_pages.page(tmp_path, place, 10)
        met += [entry.name for entry in page.entries]
        place = page.entries[-1].place
        if not page.more:
            break
    assert met == ["folder", *(f"file-{number:02d}" for number in range(25)), "gone"]


def test_kinds_are_told_by_what_is_in_the_file() -> None:
    assert kind_of(Path("x.pkl"), b"text") == "pickle"
    assert kind_of(Path("x.dat"), pickle.dumps(1)) == "pickle"
    assert kind_of(Path("x"), b"PAR1abc") == "parquet"
    assert kind_of(Path("x.txt"), b"\x89PNG\r\n\x1a\n") == "image"
    assert kind_of(Path("x.txt"), "ä".encode("latin-1") + b"bcde") == "bytes"
    assert kind_of(Path("x.txt"), "猫".encode()[:2]) == "text"
    assert kind_of(Path("MLmodel"), b"a: 1") == "yaml"


def test_a_table_is_laid_out_whatever_its_rows_have() -> None:
    lines = table_lines(["a", "name"], [["1", "猫猫"], ["-2.5"], ["3", "b", "more"]], UNICODE)
    assert ["".join(str(text) for text, _ in line) for line in lines] == [
        "   a  name      ",
        "   1  猫猫      ",
        "-2.5            ",
        "   3  b     more",
    ]


def test_an_empty_file_and_a_broken_document(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "broken.json").write_text('{"a": ')
    _, empty = read_head(tmp_path / "empty.txt", UNICODE)
    _, broken = read_head(tmp_path / "broken.json", UNICODE)
    assert empty is not None and empty.note == "an empty file"
    assert broken is not None and "".join(str(text) for text, _ in broken.lines[0]) == '{"a": '


def test_what_a_child_cannot_do_is_said() -> None:
    assert "uv pip install pillow" in image_preview({"missing": "pillow"}, UNICODE).note
    assert "bad magic" in parquet_preview({"error": "bad magic"}, UNICODE).note


def test_a_picture_without_half_blocks_is_drawn_in_signs() -> None:
    answer = {"width": 2, "height": 2, "dots": "AAAA////AAAA////", "about": "PNG 2 × 2, RGB"}
    assert image_preview(answer, ASCII).lines == [[(" @", "")]]
    assert [text for text, _ in image_preview(answer, UNICODE).lines[0]] == ["▀", "▀"]


def test_sizes_in_few_signs() -> None:
    assert [size_text(count) for count in (0, 999, 1000, 56_000, 99_960, 999_600, 2_340_000_000)] == [
        "0 B", "999 B", "1.0 kB", "56.0 kB", "100 kB", "1.0 MB", "2.3 GB",
    ]  # fmt: skip
