"""Expressions in a command: what they are taken apart into, and which are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.specs.expressions import (
    Group,
    Literal,
    Reference,
    Segment,
    command_faults,
    parse_command,
    path_faults,
    references,
)


def test_a_command_taken_apart() -> None:
    assert parse_command("a ${{inputs.x}} b ${{ name }}") == [
        Literal("a ", 0),
        Reference("inputs", "x", 2, "${{inputs.x}}"),
        Literal(" b ", 15),
        Reference("name", "", 18, "${{ name }}"),
    ]


def test_a_group_holds_segments_of_its_own() -> None:
    assert parse_command("a $[[--x ${{inputs.x}}]] b") == [
        Literal("a ", 0),
        Group((Literal("--x ", 5), Reference("inputs", "x", 9, "${{inputs.x}}")), 2, "$[[--x ${{inputs.x}}]]"),
        Literal(" b", 24),
    ]


@pytest.mark.parametrize(
    "text", ["", "echo $[[inputs.x]]", "grep '$[[:alpha:]]' a", "$[[", "]]", "${{a b}}", "$ {{inputs.x}}"]
)
def test_text_that_stays_text(text: str) -> None:
    assert parse_command(text) == ([Literal(text, 0)] if text else [])


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("${{inputs.x}}${{inputs.y}}", ["inputs.x", "inputs.y"]),
        ("${{outputs.y}} ${{search_space.z}} ${{foo}}", ["outputs.y", "search_space.z", "foo"]),
        ("${{\tinputs.x\n}}", ["inputs.x"]),
        ("{inputs.x} {outputs.y} {search_space.z}", ["inputs.x", "outputs.y", "search_space.z"]),
        ("${inputs.x} {{inputs.x}} {inputs.x}} {input.x} {inputs.x y}", []),
        ("${{inputs.a.b}}", ["inputs.a.b"]),
        ("${{}}", [""]),
    ],
)
def test_keys(text: str, keys: list[str]) -> None:
    assert [reference.key for reference, _ in references(text)] == keys


def faults(text: str, inputs: str = "", outputs: str = "") -> list[str]:
    return [fault.text for fault in command_faults(text, inputs.split(), outputs.split())]


@pytest.mark.parametrize(
    "text",
    [
        "${{inputs.x}} ${{ inputs.y }} {inputs.x}",
        "$[[ --z ${{inputs.z}} ]] $[[ --x ${{inputs.x}} --z ${{inputs.z}} ]]",
        "${{name}}",
        # Left as it is, as by Azure ML: a command may write a template for somebody else.
        "${{outputs.other}} ${{search_space.q}} ${{foo}} ${{ secrets.TOKEN }}",
        """echo '${{ github.event_name == 1 }}' '{{ inputs.x }}' '$''{{}}' "$""{{inputs.z}}" ${{""",
        "python -c \"print(f'{x.inputs}')\"",
        "[[ -n ${{inputs.x}} ]] && echo $[1 + 2] ${inputs}",
        "awk '$[[' ",
    ],
)
def test_what_is_allowed(text: str) -> None:
    assert faults(text, "x y", "model") == []


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("${{inputs.z}}", ["${{inputs.z}}"]),
        ("$[[ ${{inputs.z}} ]] ${{inputs.z}}", ["${{inputs.z}}"]),
        ("${{outputs.modell}}", ["${{outputs.modell}}"]),
        ("${{input.x}} ${{Outputs.model}}", ["${{input.x}}", "${{Outputs.model}}"]),
        ("${{inputs.x} }", ["${{"]),
        ("${{inputs. x}}", ["${{inputs. x}}"]),
        ("${inputs.x}", ["${inputs.x}"]),
        ("$[[ ${{inputs.x}}", ["$[["]),
        ("a ${{}} '${{ }}' $[[ ${{\n}} ]] ${{.x}}", ["${{}}", "${{ }}", "${{\n}}", "${{.x}}"]),
        ("${{parent.jobs.a.outputs.b}}", ["${{parent.jobs.a.outputs.b}}"]),
    ],
)
def test_what_is_refused(text: str, refused: list[str]) -> None:
    assert faults(text, "x y", "model") == refused


def test_an_input_without_a_value_is_missed_outside_of_groups_only() -> None:
    (fault,) = command_faults("${{inputs.x}} $[[ ${{inputs.x}} ]]", ["x"], [], ["x"])
    assert (fault.start, fault.message) == (0, "the input 'x' has no value")


def test_expressions_in_paths() -> None:
    assert path_faults("azureml://datastores/${{default_datastore}}/paths/${{name}}/${{output_name}}/${{x}}") == []
    (fault,) = path_faults("${{name}}/${{ }}")
    assert fault.hint == "Write ${{name}}, ${{default_datastore}} or ${{output_name}}."
    assert [fault.hint for fault in path_faults("${{output-name}}")] == ["did you mean ${{output_name}}?"]


def shown(segments: list[Segment]) -> str:
    return "".join(segment.text for segment in segments)


pieces = st.sampled_from(
    [
        "${{",
        "}}",
        "$[[",
        "]]",
        "{",
        "}",
        "inputs",
        ".",
        "x",
        " ",
        "\n",
        "$",
        "${{inputs.x}}",
        "{inputs.x}",
        "'",
        '"',
        "é",
    ]
)
commands = st.lists(pieces | st.text(max_size=5), max_size=20).map("".join)


@given(commands)
def test_the_segments_together_are_the_command(command: str) -> None:
    segments = parse_command(command)
    assert shown(segments) == command
    at = 0
    for segment in segments:
        assert segment.start == at and command.startswith(segment.text, at)
        at += len(segment.text)
        if isinstance(segment, Group):
            inside = "".join(inner.text for inner in segment.segments)
            assert segment.text == f"$[[{inside}]]"
            assert all(command.startswith(inner.text, inner.start) for inner in segment.segments)


@given(commands, st.lists(st.sampled_from(["x", "xx", "inputs"]), unique=True))
def test_every_fault_is_where_it_says(command: str, inputs: list[str]) -> None:
    for fault in command_faults(command, inputs, inputs):
        assert command.startswith(fault.text, fault.start) and fault.message


@given(st.lists(st.from_regex(r"[A-Za-z_]\w{0,5}", fullmatch=True), unique=True, max_size=4), st.text(max_size=5))
def test_declared_inputs_are_never_refused(names: list[str], between: str) -> None:
    between = between.replace("$", "").replace("{", "").replace("}", "")
    command = between.join(f"${{{{inputs.{name}}}}}" for name in names)
    assert command_faults(command, names, []) == []
    assert [fault.text for fault in command_faults(command, [], [])] == [f"${{{{inputs.{name}}}}}" for name in names]
