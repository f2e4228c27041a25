"""Any value in any place: it arrives as it is, and nothing else happens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.jobs.script import Value
from tests.shell_judge import FILE_NAMES, SHELLS, VALUES, Judge, real_processes, script_of, words

Calls = list[list[str]]


@dataclass(frozen=True)
class Place:
    """A command with ``V`` for the expression, and the calls of ``show`` that it makes with a value."""

    command: str
    expected: Callable[[str], Calls]
    shells: tuple[str, ...] = ("bash", "dash")


def split(before: str = "", after: str = "") -> Callable[[str], Calls]:
    return lambda value: [words(before + value + after)]


def exact(before: str = "", after: str = "") -> Callable[[str], Calls]:
    return lambda value: [[before + value + after]]


def fixed(*arguments: str) -> Callable[[str], Calls]:
    return lambda value: [list(arguments)]


BASH = ("bash",)
DOCUMENT = "a $x `b` \\ \\\\ \\$ 'q' \"r\" "
PLACES = [
    # bare
    Place("show V", split()),
    Place("show preV", split("pre")),
    Place("show Vpost", split("", "post")),
    Place("show --name=V/x", split("--name=", "/x")),
    Place("show V V", lambda value: [words(value) * 2]),
    Place("show VV", lambda value: [words(value + value)]),
    Place("show V#no-comment", split("", "#no-comment")),
    Place("show 'a b'V\"c d\"", lambda value: [_spread(words(f"<{value}>"))]),
    Place("show \\\n V\\\nx", split("", "x")),
    Place("show ${UNSET:-V}", split()),
    Place("show ${UNSET:-a V}", split("a ")),
    Place("show x${UNSET-V}", split("x")),
    Place('for word in V; do show x"$word"; done', lambda value: [["x" + word] for word in words(value)]),
    Place('f() { show "$@" V; }; f V', lambda value: [words(value) * 2]),
    Place('if true; then show V; fi # it\'s "V" `', split()),
    Place("{ ( show V ); }", split()),
    Place("! false && show V", split()),
    Place('set -- V; show $# "$@"', lambda value: [[str(len(words(value))), *words(value)]]),
    Place("show $V", split("$")),
    Place("a=(x V 'V'); show \"${a[@]}\"", lambda value: [["x", *words(value), value]], BASH),
    Place("show \\\\\\\\V", split("\\\\")),
    # double quotes
    Place('show "V"', exact()),
    Place('show "pre V \\"post\'"', exact("pre ", " \"post'")),
    Place('show $"V"', exact(), BASH),
    Place('show "$V"', exact("$")),
    Place('show "\\V"', exact("\\")),
    Place('show "\\\\V"', exact("\\")),
    Place('show "${UNSET:-V}"', exact()),
    Place('show "${UNSET-"V"}"', exact()),
    Place("show \"${SET:+a'V'b}\"", exact("a'", "'b")),
    Place('show ${UNSET:-"V"}', exact()),
    Place('show "$(printf \'%s.\' "V")"', exact("", ".")),
    Place("show \"$(printf '%s.' 'V')\"", exact("", ".")),
    Place("show \"`printf '%s.' 'V'`\"", exact("", ".")),
    Place('show "`printf \'%s.\' \\"V\\"`"', exact("", ".")),
    Place('show "`printf \'%s.\' "\\`printf \'%s,\' \\"V\\"\\`"`"', exact("", ",.")),
    Place('show "$(case V in V) printf \'%s.\' "$(printf \'%s\' "V,")";; esac)" # V', exact("", ",.")),
    # single quotes
    Place("show 'V'", exact()),
    Place("show 'a\"V\\'b", exact('a"', "\\b")),
    Place("show ${UNSET:-'V'}", exact()),
    Place("show $'\\ta\\'V'", exact("\ta'"), BASH),
    Place("show $'V\\n'", exact("", "\n"), BASH),
    Place("show $'\\V'", exact("\\"), BASH),
    # here-documents and here-strings
    Place("show-input <<EOF\nx V \"'y\nEOF", exact("x ", " \"'y\n")),
    Place("show-input <<'EOF'\n" + DOCUMENT + "V\\\nV\nEOF", lambda v: [[f"{DOCUMENT}{v}\\\n{v}\n"]]),
    Place('show-input <<-"EOF"\n\t' + DOCUMENT + "V\n\tEOF", exact(DOCUMENT, "\n")),
    Place("show-input <<\\EOF\n$V\\V\nEOF", lambda v: [[f"${v}\\{v}\n"]]),
    Place("show-input <<'E $O'\n`V`\nE $O", exact("`", "`\n")),
    Place("cat <<'A' <<B | show-input\n$V\nA\nV\nB", exact("", "\n")),
    Place("show \"$(cat <<'EOF'\n)$V`'\nEOF\n)\"", exact(")$", "`'")),
    Place("show-input <<EOF\n$(printf '%s.' 'V' \"V\" \"${UNSET:-V}\")\nEOF", lambda v: [[f"{v}.{v}.{v}.\n"]]),
    Place("show-input <<< V", exact("", "\n"), BASH),
    Place("show-input <<< \"V\"'V'", lambda v: [[f"{v}{v}\n"]], BASH),
    # where the shell does not split
    Place('A=V; show "$A"', exact()),
    Place('A=preV\'V\'"V"; show "$A"', lambda v: [[f"pre{v}{v}{v}"]]),
    Place("A=V sh -c 'show \"$A\"'", exact()),
    Place('export A=V B=xV; show "$A" "$B"', lambda v: [[v, "x" + v]]),
    Place('A=${UNSET:-V}; show "$A"', exact()),
    Place('A=xV; A+=V; show "$A"', lambda v: [[f"x{v}{v}"]], BASH),
    Place("case V in V) show yes;; *) show no;; esac", fixed("yes")),
    Place("case 'a b' in (xV|yV) show yes;; V?) show no;; *) show other;; esac", fixed("other")),
    Place('case V in "V") show yes ;; esac', fixed("yes")),
    Place("if [[ V == V && xV =~ ^x'V'$ ]]; then show yes; fi", fixed("yes"), BASH),
    Place("[[ xx == ?V? ]] || [[ xx == xV* ]] || show no", lambda v: [] if v in ("", "x") else [["no"]], BASH),
    # patterns
    Place('A=xVy; show "${A#xV}" "${A%Vy}" ${A#x"V"}', fixed("y", "x", "y")),
    Place('A=Vy; show "${A/"V"/z}"', lambda v: [["zy" if v else "y"]], BASH),
    Place('A=aby; show "${A/b/V}"', exact("a", "y"), BASH),
    # not read at all
    Place('show a # it\'s "V" $(', fixed("a")),
    Place("show a;# V '\nshow b # V", lambda v: [["a"], ["b"]]),
]


def _spread(found: list[str]) -> list[str]:
    """Put `a b` and `c d` around words that stand between brackets."""
    joined = [*found[:-1], found[-1][:-1] + "c d"]
    return ["a b" + joined[0][1:], *joined[1:]]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    yield Judge(tmp_path_factory.mktemp("judge"))


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
@given(data=st.data())
@real_processes
def test_a_literal_arrives_as_it_is_wherever_it_stands(judge: Judge, shell: str, data: st.DataObject) -> None:
    """Every place in one script, each with a value of its own."""
    places = [place for place in PLACES if shell in place.shells]
    values = data.draw(st.lists(VALUES, min_size=len(places), max_size=len(places)))
    lines = [place.command.replace("V", f"${{{{inputs.v{number}}}}}") for number, place in enumerate(places)]
    found = judge.calls(shell, "\n".join(lines), {f"v{number}": value for number, value in enumerate(values)})
    expected = [place.expected(value) for place, value in zip(places, values, strict=True)]
    for place, value, calls in zip(places, values, expected, strict=True):
        assert found[: len(calls)] == calls, (place.command, value)
        del found[: len(calls)]
    assert found == []


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
@given(name=FILE_NAMES)
@real_processes
def test_any_file_name_reaches_its_file(judge: Judge, shell: str, name: str) -> None:
    path = judge.work.parent / "files" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("found")
    places = ["V", '"V"', "'V'", "${UNSET:-V}", '"$(printf %s. V)"', "a=V"]
    command = f'cat V "V" \'V\' ${{UNSET:-V}} < V > V.copy && f=V && cat "$f" >> V.copy && show {" ".join(places)}'
    script = script_of(command.replace("V", "${{inputs.file}}"), {"file": Value(str(path), is_path=True)})
    outcome = judge.run(shell, script)
    assert (outcome.errors, outcome.code) == ("", 0)
    assert outcome.calls == [[str(path)] * 4 + [f"{path}.", f"a={path}"]]
    assert path.with_name(name + ".copy").read_text() == "found" * 5


@given(value=VALUES)
def test_the_script_depends_on_where_a_value_has_blanks_and_on_nothing_else(value: str) -> None:
    """No part of a value's text is in the script: another value of the same shape gives the same script."""
    command = "\n".join(place.command.replace("V", "${{inputs.v}}") for place in PLACES)
    shape = re.sub("[^ \t\n]", "x", value)
    assert script_of(command, {"v": value}).text == script_of(command, {"v": shape}).text
