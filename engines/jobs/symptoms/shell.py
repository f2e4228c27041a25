"""What the shell and the programs that it started say when they give up."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from engines.jobs.symptoms import endings, machine, modules, paths
from engines.jobs.symptoms.cause import JobFacts, Symptom

LOOKED_AT = 8
"""How many of the last lines are looked at: what was said earlier did not end the job."""

SHELL = r"(?:[^\s:]*\bsh|[^\s:]*\.sh|[^\s:]*\bbash)"
AT = r"(?:-c: )?(?:[^\W\d]\w{0,20} \d+: |\d+: )?"
ENDED = "|".join(map(re.escape, endings.DESCRIPTIONS))
REFUSED = r"(?:(?:cannot|can't) [a-z ]{1,30} )?"

Match = re.Match[str]


def command_not_found(found: Match, facts: JobFacts) -> Symptom:
    """A program that is not there."""
    return no_program(found["what"].strip("'`\""), facts)


def no_program(what: str, facts: JobFacts) -> Symptom:
    """The words for a program that is not there."""
    if "/" in what:
        return paths.missing(what, facts)
    if paths.exists(facts.working_copy / what):
        hint = f"It is a file of the code: write `./{what}`, or `bash {what}`; the shell looks only in PATH."
    elif what in ("python", "pip"):
        hint = f"This machine has no `{what}` in PATH; write `{what}3`, or give the job an environment."
    else:
        hint = (
            f"Check the spelling, install it on this machine, or, where a Python package brings it along, list that"
            f" package in the job's environment{f' ({facts.environment})' if facts.environment else ''}."
        )
    return Symptom("command_not_found", f"The command {what!r} was not found.", hint)


def not_executable(found: Match, facts: JobFacts) -> Symptom:
    """A file that is there and cannot be run."""
    what, reason = found["what"].strip("'`\""), found["reason"]
    shown = facts.shown(what)
    if reason == "Permission denied":
        hint = f"Make it executable where your code is: `chmod +x {shown}`; or run it by name: `bash {shown}`."
    elif "directory" in reason:
        hint = "A folder cannot be run; name the program inside it."
    else:
        hint = "Its first line (`#!...`) has to name a program that exists; a binary has to be made for this machine."
    return Symptom("not_executable", f"{shown!r} could not be run: {reason}.", hint)


def unset_variable(found: Match, facts: JobFacts) -> Symptom:
    """A variable that ``set -u`` insists on."""
    name = found["name"]
    return Symptom(
        "unset_variable",
        f"The command uses the variable ${name}, which is not set.",
        f"Set it in the job file: `environment_variables: {{{name}: ...}}`; your own shell's variables stay behind.",
    )


def bad_syntax(found: Match, facts: JobFacts) -> Symptom:
    """A command that the shell cannot read."""
    return Symptom(
        "shell_syntax",
        f"The shell could not read the command: {found['message']}.",
        "Check quotes, brackets and `if ... fi` of `command:`; in YAML, `command: |` keeps lines as they are.",
    )


def cannot_open_script(found: Match, facts: JobFacts) -> Symptom:
    """A script that Python was told to run."""
    if found["errno"] == "2":
        return paths.missing(found["file"], facts)
    return paths.denied(found["file"], facts)


def missing_module(found: Match, facts: JobFacts) -> Symptom:
    """``python -m`` with a module that is not there."""
    return modules.missing(found["module"], facts)


def bad_arguments(found: Match, facts: JobFacts) -> Symptom:
    """A program that refuses its own arguments."""
    return Symptom(
        "bad_arguments",
        f"{facts.shown(found['program'])} did not accept its arguments: {found['message']}",
        "Compare `command:` in the job file with the arguments that the program takes.",
    )


def bad_option(found: Match, facts: JobFacts) -> Symptom:
    """The same, by a program that does not give its name."""
    return Symptom(
        "bad_arguments",
        f"The program did not accept its arguments: {found['message']}",
        "Compare `command:` in the job file with the arguments that the program takes.",
    )


def missing_file(found: Match, facts: JobFacts) -> Symptom:
    """A file that some program wanted."""
    return paths.missing(found["file"].strip().strip("'`\"‘’"), facts)


def denied_file(found: Match, facts: JobFacts) -> Symptom:
    """A file that some program may not touch."""
    return paths.denied(found["file"].strip().strip("'`\"‘’"), facts)


def killed_program(found: Match, facts: JobFacts) -> Symptom:
    """A program that a signal ended, whatever the command did then."""
    return endings.killed(endings.DESCRIPTIONS[found["words"]], endings.PROGRAM)


Reading = Callable[[Match, JobFacts], Symptom]
"""What a line says of the job."""

RULES: tuple[tuple[re.Pattern[str], Reading, frozenset[int]], ...] = tuple(
    (re.compile(pattern), say, frozenset(codes))
    for pattern, say, codes in (
        (rf"^{SHELL}: {AT}(?P<name>\w{{1,200}}): (?:unbound variable|parameter not set)$", unset_variable, ()),
        (
            rf"^{SHELL}: {AT}(?P<message>(?:syntax error|Syntax error|unexpected EOF|unexpected end of file).*)$",
            bad_syntax,
            (1, 2, 127),
        ),
        (rf"^{SHELL}: {AT} *\d+ +(?P<words>{ENDED})(?: \(core dumped\))?(?: {{2,}}|$)", killed_program, ()),
        (rf"^(?P<words>{ENDED})(?: \(core dumped\))?$", killed_program, ()),
        (rf"^{SHELL}: {AT}(?P<what>.{{1,400}}?): (?:command )?not found$", command_not_found, ()),
        (
            rf"^{SHELL}: {AT}(?P<what>.{{1,400}}?): "
            r"(?P<reason>Permission denied|cannot execute.*|Is a directory|Exec format error|bad interpreter.*)$",
            not_executable,
            (126, 127),
        ),
        (
            r"^\S*python[\w.]*: can't open file '?(?P<file>[^']{1,4096}?)'?: \[Errno (?P<errno>\d+)\]",
            cannot_open_script,
            (),
        ),
        (r"^\S*python[\w.]*: No module named '?(?P<module>[\w.]{1,200})", missing_module, ()),
        (r"^\S*python[\w.]*: .*\(ModuleNotFoundError: No module named '(?P<module>[\w.]{1,200})'", missing_module, ()),
        (r"^(?P<program>[^\s:]{1,200}(?: [\w-]{1,40})?): error: (?P<message>.{1,2000})$", bad_arguments, (2,)),
        (
            r"^Error: (?P<message>(?:No such (?:option|command)|Missing (?:option|argument|parameter)|Invalid value|"
            r"Got unexpected|Option ).{0,2000})$",
            bad_option,
            (2,),
        ),
        (
            r"^[^:]{1,200}: .{0,100}?['`‘\"](?P<file>[^'’\"]{1,1000})['’\"]: No such file or directory$",
            missing_file,
            (),
        ),
        (r"^[^:]{1,200}: (?P<file>[^:]{1,1000}): Cannot \w+: No such file or directory$", missing_file, ()),
        (
            rf"^[^:]{{1,200}}: (?:.{{0,200}}: )?{REFUSED}(?P<file>[^:]{{1,1000}}): No such file or directory$",
            missing_file,
            (),
        ),
        (rf"^{SHELL}: {AT}(?:cd|\d+: cd): can't cd to (?P<file>.{{1,1000}})$", missing_file, ()),
        (rf"^[^:]{{1,200}}: (?:.{{0,200}}: )?{REFUSED}(?P<file>[^:]{{1,1000}}): Permission denied$", denied_file, ()),
    )
)


def from_lines(exit_code: int, lines: Sequence[str], facts: JobFacts) -> Symptom | None:
    """What the last lines mean; the last one that says something counts."""
    for line in last(lines):
        if symptom := from_line(exit_code, line[:4096], facts):
            return symptom
    return None


def last(lines: Sequence[str]) -> list[str]:
    """The lines that may tell the end, the last one first."""
    return [line for line in reversed(lines) if line.strip()][:LOOKED_AT]


def from_line(exit_code: int, line: str, facts: JobFacts) -> Symptom | None:
    """What one line means."""
    if symptom := machine.from_text(line):
        return Symptom(symptom.code, f"{symptom.message} It said: {line.strip()[:300]}", symptom.hint)
    for pattern, say, codes in RULES:
        if (not codes or exit_code in codes) and (found := pattern.match(line)):
            return say(found, facts)
    return None


def from_code(exit_code: int, lines: Sequence[str]) -> Symptom | None:
    """What the exit codes that shells reserve mean, where no line could be read (a shell of another language)."""
    said = next((line for line in last(lines) if re.match(rf"^{SHELL}: ", line)), None)
    own = f" The shell says: {said}" if said else ""
    if exit_code == 127:
        return Symptom("command_not_found", f"A command was not found (exit code 127).{own}")
    if exit_code == 126:
        return Symptom("not_executable", f"A command was found and could not be run (exit code 126).{own}")
    return None
