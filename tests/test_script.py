"""A command becomes a script: every kind of place, by hand, under every shell there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.jobs.script import LONGEST_STRING, Value, literal_text, render
from store.errors import UsageError
from tests.shell_judge import BAIT, SHELLS, Judge, script_of

ATTACK = "a[$(run-bait)]"


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    return Judge(tmp_path)


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> Iterator[str]:
    yield request.param


def test_a_plain_command(judge: Judge, shell: str) -> None:
    command = (
        "show --data ${{inputs.data}}/train.csv --epochs ${{ inputs.epochs }} --name=${{name}} > ${{outputs.model}}"
    )
    values: dict[str, Value | str] = {
        "data": Value("/data/my files", is_path=True),
        "epochs": "20",
        "name": "calm_river_1",
        "outputs.model": Value(str(judge.work.parent / "the model"), is_path=True),
    }
    script = render(command, {k if "." in k or k == "name" else f"inputs.{k}": _value(v) for k, v in values.items()})
    assert script.variables == {
        "AZURE_ML_INPUT_data": "/data/my files",
        "AZURE_ML_INPUT_epochs": "20",
        "AZURE_ML_VALUE_name": "calm_river_1",
        "AZURE_ML_OUTPUT_model": str(judge.work.parent / "the model"),
    }
    assert judge.run(shell, script).errors == ""
    arguments = (judge.work.parent / "the model").read_text().split("\0")[1:-1]
    assert arguments == ["--data", "/data/my files/train.csv", "--epochs", "20", "--name=calm_river_1"]


def _value(value: Value | str) -> Value:
    return value if isinstance(value, Value) else Value(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "True"), (False, "False"), (1.0, "1.0"), (5, "5"), (0.001, "0.001"), ("1e-5", "1e-5"), ("", "")],
)
def test_literals_become_text(value: str | bool | int | float, text: str) -> None:
    assert literal_text(value) == text


# Splitting


@pytest.mark.parametrize(
    ("command", "value", "expected"),
    [
        ("show ${{inputs.x}}", "hello world", ["hello", "world"]),
        ("show ${{inputs.x}}", "", []),
        ("show ${{inputs.x}}", " \t\n ", []),
        ("show a${{inputs.x}}b", " ", ["a", "b"]),
        ("show a${{inputs.x}}b", "", ["ab"]),
        ("show a${{inputs.x}}b", " c\td\n", ["a", "c", "d", "b"]),
        ("show ${{inputs.x}}#b", " ", ["#b"]),
        ("show ${{inputs.x}}#b", "", ["#b"]),
        ("show ''${{inputs.x}}", "", [""]),
        ("show $NONE${{inputs.x}}", "", []),
        ("show ${{inputs.x}}$NONE${{inputs.x}}", "", []),
        ("show x${NONE-${{inputs.x}}}y", "", ["xy"]),
        ("show $SET${{inputs.x}}x", "", ["setx"]),
        ("show ${{inputs.x}}${{inputs.x}}", "a b", ["a", "ba", "b"]),
        ("IFS=,; show ${{inputs.x}}", "a,b c", ["a,b", "c"]),
        ("set -u; set -f; show ${{inputs.x}}", "* $HOME", ["*", "$HOME"]),
    ],
)
def test_a_literal_outside_quotes_splits_at_blanks(
    judge: Judge, shell: str, command: str, value: str, expected: list[str]
) -> None:
    assert judge.calls(shell, command, {"x": value}) == [expected]


def test_a_path_is_one_word_whatever_it_contains(judge: Judge, shell: str) -> None:
    for path in ("my file", " x ", "a\nb", "*", "", "a'b\"c", "\udcff"):
        values = {"x": Value(path, is_path=True)}
        assert judge.calls(shell, "show -${{inputs.x}}/y ${{inputs.x}}", values) == [[f"-{path}/y", path]]


def test_the_users_own_patterns_and_expansions_go_on_working(judge: Judge, shell: str) -> None:
    command = 'A="p q"; show *.t${{inputs.x}} $A "$A" [xy]* ~/f ? ${{inputs.y}}*.txt'
    expected = ["x.txt", "y.txt", "p", "q", "p q", "x.txt", "y.txt", "/home/nobody/f", "?", "x.txt"]
    assert judge.calls(shell, command, {"x": "xt", "y": "x"}) == [expected]
    # What a value brings is never a pattern, though it stands in the middle of one.
    assert judge.calls(shell, "show ${{inputs.x}} *${{inputs.x}} ./${{inputs.x}}", {"x": "*.txt"}) == [
        ["*.txt", "**.txt", "./*.txt"]
    ]


@pytest.mark.parametrize(
    "value", ["{a,b}", "~", "~/x", "#c", "-n", "a=b", "!", "$HOME", "a;b", "x&", "|y", ">z", "<(w)"]
)
def test_a_value_means_nothing_to_the_shell(judge: Judge, shell: str, value: str) -> None:
    assert judge.calls(shell, "show ${{inputs.x}} p${{inputs.x}}s", {"x": value}) == [[value, f"p{value}s"]]


def test_a_value_is_no_reserved_word_assignment_or_option_of_the_shell(judge: Judge, shell: str) -> None:
    for value, message in (("if", "if"), ("A=1", "A=1"), ("{", "{"), ("!", "!")):
        outcome = judge.run(shell, script_of("${{inputs.x}} show a", {"x": value}))
        assert (outcome.code, outcome.calls) == (127, [])
        assert message in outcome.errors
    # A blank value before it leaves a reserved word or an assignment what it was.
    assert judge.calls(shell, "${{inputs.x}} if true; then show a; fi", {"x": " "}) == [["a"]]
    command = "${{inputs.x}} A=${{inputs.y}} sh -c 'show \"$A\"'"
    assert judge.calls(shell, command, {"x": "", "y": "show run-bait"}) == [["show run-bait"]]


# Places where the shell reads differently


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("show a#V ${#SET} $# # V 'x", [["a#5", "3", "0"]]),
        ("show $((V<<2)) $(( (V + 1) * 2 )) $((1)) # <<E", [["20", "12", "1"]]),
        ("show $(( 0 + V )) $(( ${NONE:-V} ))", [["5", "5"]]),
        ('show "$((V-1))" "`show-raw <<E\n$((V))\nE\n`"', [["4", "5\n."]]),
        ("f() { show $1 V; }\nf V", [["5", "5"]]),
        ("f () { case $1 in V) show V;; *) show 'no)';; esac; }; f V; f 6", [["5"], ["no)"]]),
        ("for i in V V; do show $i; done", [["5"], ["5"]]),
        ("i=0; while [ $i -lt V ]; do i=$((i + V)); show $i; done", [["5"]]),
        ("if [ V -eq 5 ] && ! [ V = 6 ]; then show yes; elif false; then show V; fi", [["yes"]]),
        ("show \\\n  V \\\n  'V'", [["5", "5"]]),
        ("show 1; # it's V\nshow 'V' # \"\nshow V", [["1"], ["5"], ["5"]]),
        ("show $(echo $(echo V)) `echo \\`echo V\\``", [["5", "5"]]),
        ('show "$(echo "$(echo "V")")"', [["5"]]),
        ("show $( (echo V); echo 'V)' )", [["5", "5)"]]),
        ("show \"$(cat <<'E'\n$V)\nE\n)\" V", [["$5)", "5"]]),
        ("cat <<A <<'B' | show-input; show V\nV\nA\n$V\nB", [["$5\n"], ["5"]]),
        ("cat <<'A' | (show-input; show V)\n$V\nA", [["$5\n"], ["5"]]),
        ("if true; then show-input <<-'E'\n\t\t$V\\V\n\tE\nfi", [["$5\\5\n"]]),
        ("show-input <<''\n$V\n\nshow V", [["$5\n"], ["5"]]),
        ("show-input <<'AZURE ML'\nAZURE_ML_END\n$V\nAZURE ML", [["AZURE_ML_END\n$5\n"]]),
        ("show-input <<E\n\\$ V \\\\ 'V' ${NONE:-V}\nE", [["$ 5 \\ '5' 5\n"]]),
        ("show-input <<'E' && show ok\n$HOME `no` \\\nE", [["$HOME `no` \\\n"], ["ok"]]),
        ("A=V; B=$A-V C='V' sh -c 'show \"$B\" \"$C\"'", [["5-5", "5"]]),
        ("show a\\ V\\ b", [["a 5 b"]]),
        ("{ show V; } 2>&1; (show V)", [["5"], ["5"]]),
        ("show V>/dev/null; show V 2>/dev/null 1>&1", [["5"]]),
        ('show ${SET+V} ${SET:+V} ${SET#V} ${SET%%V} ${NONE-V} "${SET%"V"}"', [["5", "5", "set", "set", "5", "set"]]),
        ("case V in (V) show V;; esac; case x in x|V) show x ;; esac", [["5"], ["x"]]),
    ],
)
def test_places(judge: Judge, shell: str, command: str, expected: list[list[str]]) -> None:
    assert judge.calls(shell, command.replace("V", "${{inputs.x}}"), {"x": "5"}) == expected


@pytest.mark.skipif("bash" not in SHELLS, reason="needs bash")
@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("(( V > 4 )) && show yes", [["yes"]]),
        ("for ((i = 0; i < V; i += 3)) do show $i V; done", [["0", "5"], ["3", "5"]]),
        ("((show V) ; (show 'b V'))", [["5"], ["b 5"]]),
        ("show $((echo 'a V') | cat)", [["a", "5"]]),
        ("a=(x V 'p V' [7]=V); a[V]=q; show \"${a[@]}\" ${a[V]} ${#a[@]} ${a[@]:V:1}", None),
        ("s=abcdefgh; show ${s:V} ${s:V:1} ${s:2:V}", [["fgh", "f", "cdefg"]]),
        ("show $[V + 1]; let 'k = V' i=V+1; show $k $i", [["6"], ["5", "6"]]),
        ("declare -i n=V; n+=V; show $n", [["10"]]),
        ("[[ V -ge 5 && V == 5 && a5 =~ ^(a|b)V$ ]] && show yes", [["yes"]]),
        ("show-input <<< V; show V", [["5\n"], ["5"]]),
        ("show $'a\\tV' $\"V\" {V,b} a{V,c}d", [["a\t5", "5", "5", "b", "a5d", "acd"]]),
        ("cat < <(echo 'V') <(echo V) > >(show-input); wait", None),
        ("show V &> /dev/null; show V |& cat", [["5"]]),
        ("shopt -s extglob\nshow !(*V|a*|b*|-n|x.txt)", [["y.txt"]]),
        ("!(false) && show V", [["5"]]),
        ("{ time -p A=V show V; } 2>/dev/null", [["5"]]),
        ("coproc cat; show V", [["5"]]),
        ("select i in V; do show $i; done < /dev/null 2>/dev/null; show V", [["5"]]),
        ("function f { show V; }; f; function g() { show 'V'; }; g", [["5"], ["5"]]),
        ("export a=V b='V V'; declare -r c=V; show \"$a$b$c\"", [["55 55"]]),
        ("case x in x) show V;& y) show 'V';;& *) show z;; esac", [["5"], ["5"], ["z"]]),
    ],
)
def test_places_that_only_bash_knows(judge: Judge, command: str, expected: list[list[str]] | None) -> None:
    outcome = judge.run("bash", script_of(command.replace("V", "${{inputs.x}}"), {"x": "5"}))
    assert (outcome.errors, outcome.code) == ("", 0)
    assert expected is None or outcome.calls == expected


def test_redirections_take_a_value_as_one_file_name(judge: Judge, shell: str) -> None:
    for name in ("new file", "*.new", "; run-bait", "$(run-bait)", "&1"):
        script = script_of("show a > ${{inputs.x}} && cat < ${{inputs.x}} 2>>${{inputs.x}}", {"x": name})
        assert judge.run(shell, script).calls == [["a"]]
        (judge.work / name).unlink()
    assert judge.bait_left() == BAIT


@pytest.mark.parametrize("command", ["show 'a ${{inputs.x}}", 'show "${{inputs.x}} $(', "show `${{inputs.x}}", "f() {"])
def test_an_open_quote_is_left_to_the_shell(judge: Judge, shell: str, command: str) -> None:
    outcome = judge.run(shell, script_of(f"{command}\nshow $((", {"x": "'\"`run-bait`"}))
    assert outcome.code != 0 and outcome.errors
    assert judge.bait_left() == BAIT


def test_text_inside_backticks_is_escaped_a_level_for_each(judge: Judge, shell: str) -> None:
    cases = {
        'show "`printf %s "$${{inputs.x}} \\${{inputs.x}}"`"': "$V w \\V w",
        "show \"`cat <<'E'\n$HOME \\\\\\\\ ${{inputs.x}}\nE\n`\"": "$HOME \\\\ V w",
        'show "`printf %s \\"\\`cat <<\'E\'\n$HOME ${{inputs.x}}\nE\n\\`\\"`"': "$HOME V w",
    }
    for command, expected in cases.items():
        assert judge.calls(shell, command, {"x": "V w"}) == [[expected]], command


# Arithmetic

EVALUATED = [
    "show $((V))",
    "show $(( 1 + V ))",
    'show "$(( V ))"',
    "show `echo $((V))`",
    "show-input <<E\n$((V))\nE",
    "show-input <<'E'\n$x\nE\nshow $((V))",
    "show $(( ${NONE:-V} ))",
    "((V)) || true",
    "if ((V > 1)); then show; fi",
    "for ((i=V;i<1;i++)); do :; done",
    "show $[V]",
    "let V",
    'let "v = V"',
    "a[V]=1",
    "a=([V]=1)",
    "show ${a[V]}",
    "show ${#a[V]}",
    "v=abc; show ${v:V}",
    "v=abc; show ${v:1:V}",
    'v=abc; show "${v:V}"',
    "[[ V -eq 1 ]]",
    "[[ 1 -lt 'V' ]]",
    '[[ x == x && "V" -ge 1 ]]',
    "[[ -v V ]]",
    "declare -i n=V",
    "declare -i n; n=V",
    "typeset -ri n=V",
]


@pytest.mark.parametrize("command", EVALUATED)
def test_what_arithmetic_would_run_is_refused(command: str) -> None:
    for value in (ATTACK, "x", "1.5", "1+1", "True", "$HOME"):
        if value.isalpha() and "-v" in command:
            continue  # the name of a variable, which is what belongs there
        with pytest.raises(UsageError, match=r"\$\{\{inputs\.x\}\}.*would evaluate") as caught:
            script_of(command.replace("V", "${{inputs.x}}"), {"x": value})
        assert repr(value) in caught.value.message


@pytest.mark.skipif("bash" not in SHELLS, reason="needs bash")
def test_a_command_inside_arithmetic_takes_any_value(judge: Judge) -> None:
    command = (
        "[[ $(cat V) -eq 1 && 2 -gt `cat 'V'` ]] && (( $(cat V) )) && declare -i n=$(cat V) && show $n $((`cat V`))"
    )
    values = {"x": Value("x.txt", is_path=True)}
    assert judge.calls("bash", command.replace("V", "${{inputs.x}}"), values) == [["1", "1"]]


@pytest.mark.parametrize("value", ["5", "-3", "+7", "0x1F", "010", " 5\n", ""])
def test_whole_numbers_are_let_into_arithmetic(judge: Judge, shell: str, value: str) -> None:
    found = judge.calls(shell, "show $(( ${{inputs.x}} + 1 ))", {"x": value})
    assert found == [[str((int(value, 8 if value == "010" else 0) if value.strip() else 0) + 1)]]


@pytest.mark.skipif("bash" not in SHELLS, reason="needs bash")
@pytest.mark.parametrize("command", [command for command in EVALUATED if "-v" not in command])
def test_the_refusal_is_needed(judge: Judge, command: str) -> None:
    """Had the value been let in as a variable, bash would have run it: no place is refused for nothing."""
    script = script_of(command.replace("V", "${{inputs.x}}"), {"x": "1"})
    judge.run("bash", type(script)(f"a=(1)\n{script.text}", {"AZURE_ML_INPUT_x": ATTACK}))
    assert (judge.work / "bait").read_text() == "untouchedran"


def test_a_double_parenthesis_that_is_no_arithmetic_takes_any_value(judge: Judge, shell: str) -> None:
    assert judge.calls(shell, "( (show '${{inputs.x}}') ); ((show ${{inputs.x}}) )", {"x": ATTACK}) == [[ATTACK]] * 2
    assert judge.calls(shell, "show \"$( (printf %s '${{inputs.x}}') )\"", {"x": ATTACK}) == [[ATTACK]]


@pytest.mark.parametrize(
    "command", ["show ${${{inputs.x}}}", "show ${A${{inputs.x}}}", "cat <<${{inputs.x}}\nE", "cat <<'${{inputs.x}}'\nE"]
)
def test_expressions_where_the_shell_wants_a_fixed_word_are_refused(command: str) -> None:
    with pytest.raises(UsageError, match="can't come from an expression"):
        script_of(command, {"x": "E"})


# Groups, and expressions without a value


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("show a $[[--o ${{inputs.o}}]] b", ["a", "b"]),
        ("show a $[[--x ${{inputs.x}}]] b", ["a", "--x", "1", "b"]),
        ("show $[[--x ${{inputs.x}} --o ${{inputs.o}}]]", []),
        ("show a$[[-${{inputs.x}}-]]b$[[${{inputs.o}}]]c", ["a-1-bc"]),
        ('show "$[[x=${{inputs.x}} ]]$[[o=${{inputs.o}}]]"', ["x=1 "]),
        ("show '${{inputs.o}}' \"${{inputs.o}}\" ${{inputs.o}}", ["", ""]),
        ("show ${{inputs.o}} $[[--o ${{inputs.o}}]]", []),
        ("show '$[[:space:]]' '$[[a ${{inputs.x}}]]'", ["$[[:space:]]", "a 1"]),
        ("show a$(( 1 ${{inputs.o}}))", ["a1"]),
    ],
)
def test_optional_inputs(judge: Judge, shell: str, command: str, expected: list[str]) -> None:
    assert judge.calls(shell, command, {"x": "1"}) == [expected]


def test_expressions_without_a_value_stay_as_written(judge: Judge, shell: str) -> None:
    command = "show '${{outputs.z}} ${{search_space.q}}' # ${{foo}}\nshow-input <<'E'\n${{ foo }} ${{inputs.x}}\nE\n"
    assert judge.calls(shell, command, {"x": "1"}) == [
        ["${{outputs.z}} ${{search_space.q}}"],
        ["${{ foo }} 1\n"],
    ]
    for word in ("${{outputs.z}}", '"${{search_space.q}}"', "a${{foo}}/b"):
        script = script_of(f"show ${{{{inputs.x}}}}; show {word}; show '${{{{inputs.x}}}}'", {"x": "a b"})
        assert word in script.text
        outcome = judge.run(shell, script)
        assert outcome.calls == [["a", "b"]]
        assert outcome.code != 0 and "ad substitution" in outcome.errors


def test_quotes_keep_what_is_no_expression_apart(judge: Judge, shell: str) -> None:
    command = """show '$''{{}}' '$''{{inputs.x}}' "$""{{ name }}" ${{inputs.x}}"""
    assert judge.calls(shell, command, {"x": "1"}) == [["${{}}", "${{inputs.x}}", "${{ name }}", "1"]]


# Names, limits, and what a script never holds


def test_names_are_readable_and_never_collide() -> None:
    values = ["a", "a__1", "a.b", "a_b", "a-b", "a.b__1", "é", "_", "ü", "a.b_2", "A"]
    keys = [f"{kind}.{name}" for kind in ("inputs", "outputs", "search_space") for name in values] + ["name", "x.y"]
    command = " ".join(f"${{{{{key}}}}}" for key in keys)
    script = render(command, {key: Value(f"{key} {key}") for key in keys})
    assert script.variables["AZURE_ML_INPUT_a"] == "inputs.a inputs.a"
    assert script.variables["AZURE_ML_INPUT_a_b"] == "inputs.a_b inputs.a_b"
    assert script.variables["AZUREML_SWEEP_A"] == "search_space.A search_space.A"
    texts = sorted(script.variables.values())
    assert texts == sorted([f"{key} {key}" for key in keys] + [key for key in keys for _ in range(2)])
    assert all(name.isascii() and name.isidentifier() for name in script.variables)


def test_scripts_may_read_the_variables_of_inputs_they_do_not_name(judge: Judge, shell: str) -> None:
    assert judge.calls(shell, 'show "$AZURE_ML_INPUT_epochs"', {"epochs": "5 6"}) == [["5 6"]]


def test_the_longest_value_that_the_system_takes(judge: Judge, shell: str) -> None:
    longest = "x" * (LONGEST_STRING - len("AZURE_ML_INPUT_x=") - 1)
    assert judge.run(shell, script_of("printf '%s' ${{inputs.x}} | wc -c >&2", {"x": longest})).errors.strip() == str(
        len(longest)
    )
    for value in (longest + "x", longest[:-1] + "é"):
        with pytest.raises(UsageError, match="longer than 128 KiB"):
            script_of("true", {"x": value})


def test_a_command_with_too_many_words_is_refused() -> None:
    with pytest.raises(UsageError, match="the command is longer than"):
        script_of("show ${{inputs.x}}", {"x": "a " * 10_000})
    assert len(script_of("show '${{inputs.x}}'", {"x": "a " * 10_000}).text) < 100


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_what_no_environment_can_hold_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"inputs\.x"):
        script_of("show '${{inputs.x}}'", {"x": text})
    with pytest.raises(UsageError, match="the command"):
        script_of(f"show {text}", {})


def test_endless_nesting_is_refused_and_takes_no_time() -> None:
    for opening in ("$(", "$((", "((", "(", "${a:-", "$((`", "case x in x) ", '"$('):
        with pytest.raises(UsageError, match="levels deep"):
            script_of(opening * 5000 + "${{inputs.x}}", {"x": "1"})


def test_a_script_is_the_same_whatever_the_values_are() -> None:
    command = (
        "show ${{inputs.x}} '${{inputs.x}}' \"${{inputs.x}}\" a${{inputs.x}}b `${{inputs.x}}` <<'E'\n${{inputs.x}}\nE\n"
    )
    first, second = (script_of(command, {"x": value}) for value in (" ab 'c' ", " $( ;*d "))
    assert first.text == second.text
    assert not any(word in first.text for word in ("ab ", "'c'", "*d"))
