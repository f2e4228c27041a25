"""What a Python exception means, beyond its own words."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

from engines.jobs.symptoms import endings, machine, modules, paths, shell
from engines.jobs.symptoms.cause import JobFacts, Symptom
from engines.jobs.symptoms.tracebacks import SYNTAX, Raised

ERRNO = re.compile(r"\[Errno (?P<number>\d{1,4})\]")
PATH = re.compile(r": (?P<quote>['\"])(?P<path>.{1,4096}?)(?P=quote)(?:$| ->)", re.MULTILINE)
NO_MODULE = re.compile(r"No module named '?(?P<module>[\w.]{1,200})'?")
NO_FILE = re.compile(r"(?:No such file or directory: ?|name = )'(?P<path>[^']{1,4096})'")
FROM_PACKAGE = re.compile(r"cannot import name '(?P<what>\w+)' from '(?P<package>[\w.]+)'")
NO_ATTRIBUTE = re.compile(r"^module '(?P<package>\w+)[\w.]*' has no attribute '(?P<what>\w+)'")
DIED = re.compile(r"died with <Signals\.(?P<name>SIG[A-Z0-9]{1,12}): \d+>")
HTTP = re.compile(r"(?:HTTP Error|status code:?|Error) (?P<code>[45]\d\d)\b|\b(?P<other>[45]\d\d) Client Error")

OTHER_SERVER = re.compile(r"^API request to (?P<server>https?://[^/\s]{1,300})\S{0,300} failed with exception")
OTHER_STORE = "an MLflow store of its own, where the job's run is not"

LAST_WORDS = 200
"""Where an exception of ``subprocess`` says how a program ended: behind its whole command."""

UNREADABLE = frozenset(
    "UnicodeDecodeError ParserError EmptyDataError JSONDecodeError BadZipFile BadGzipFile UnpicklingError ArrowInvalid"
    " UnidentifiedImageError ScannerError ReadError LZMAError InvalidFileException TOMLDecodeError".split()
)
NETWORK = frozenset(
    "ConnectionError ConnectionRefusedError ConnectionResetError ConnectTimeout ReadTimeout gaierror URLError HTTPError"
    " MaxRetryError NewConnectionError SSLError ProxyError ClientConnectorError ConnectError".split()
)

Rule = Callable[[Raised, JobFacts], Symptom | None]


def from_exception(raised: Raised, facts: JobFacts) -> Symptom | None:
    """What an exception means, or one of those that it was raised from."""
    for each in raised.causes():
        for rule in RULES:
            if symptom := rule(each, facts):
                return symptom
    return None


def syntax_error(raised: Raised, facts: JobFacts) -> Symptom | None:
    """Python could not read a file at all."""
    if raised.name not in SYNTAX or not raised.frames:
        return None
    place = raised.frames[-1]
    hint = "Nothing of that file was run."
    if "print" in raised.message and "parentheses" in raised.message:
        hint = "This is Python 2; the environment's Python is 3."
    return Symptom(
        "syntax_error",
        f"Python could not read {facts.shown(place.file)}, line {place.line}: {raised.message or raised.name}.",
        hint,
    )


def import_failed(raised: Raised, facts: JobFacts) -> Symptom | None:
    """A module that is missing, hidden by a file of the user's, or of another version."""
    text = raised.message
    if raised.name not in ("ModuleNotFoundError", "ImportError", "AttributeError"):
        return None
    if symptom := modules.shadowed(text, facts):
        return symptom
    if raised.name == "AttributeError":
        found = NO_ATTRIBUTE.match(text)
        return other_version(found, text, facts) if found else None
    if found := NO_MODULE.search(text):
        return modules.missing(found["module"], facts)
    found = FROM_PACKAGE.search(text)
    return other_version(found, text, facts) if found else None


def other_version(found: re.Match[str], text: str, facts: JobFacts) -> Symptom | None:
    """A name that another version of a package has; None for the user's own modules."""
    package = found["package"].partition(".")[0]
    if paths.exists(facts.working_copy / f"{package}.py") or paths.exists(facts.working_copy / package):
        return None
    return Symptom(
        "wrong_version",
        f"The installed {modules.distribution(package)} has no {found['what']!r}: {first_line(text)}",
        f"Pin the version of {modules.distribution(package)} that the code was written for in the environment.",
    )


def file_error(raised: Raised, facts: JobFacts) -> Symptom | None:
    """A file that is missing, forbidden, or of the wrong kind."""
    number = ERRNO.search(raised.message)
    errno = int(number["number"]) if number else None
    named = PATH.search(raised.message) or NO_FILE.search(raised.message)
    path = named["path"] if named else None
    if path and raised.frames and raised.frames[-1].function == "_execute_child":
        return shell.no_program(path, facts)
    if path and (errno == 2 or raised.name == "FileNotFoundError" or NO_FILE.search(raised.message)):
        return paths.missing(path, facts)
    if raised.name == "FileNotFoundError":
        return Symptom("missing_file", f"A file was not found: {first_line(raised.message)}")
    if errno == 13 or raised.name == "PermissionError":
        return paths.denied(path, facts)
    if errno == 30 and path:
        return paths.denied(path, facts)
    if path and (errno in (20, 21) or raised.name in ("IsADirectoryError", "NotADirectoryError")):
        return paths.wrong_kind(path, facts, is_folder=errno == 21 or raised.name == "IsADirectoryError")
    return None


def tracking(raised: Raised, facts: JobFacts) -> Symptom | None:
    """Calls of MLflow that do not go together with a run that is given."""
    text = raised.message
    if "does not match environment run ID" in text or ("set_experiment" in text and "run ID" in text):
        return Symptom(
            "mlflow_experiment",
            "The script calls mlflow.set_experiment(), but the job has its MLflow run already, in its own experiment.",
            "Take set_experiment() out and write `experiment_name:` in the job file, or run it with"
            " `--set experiment_name=NAME`; Azure ML asks for the same.",
        )
    if (found := OTHER_SERVER.search(text)) or any(
        text.startswith(said.format(facts.job)) for said in ("Run with id={} not found", "Run '{}' not found")
    ):
        where = f"an MLflow server of its own, {found['server']}, and that did not answer" if found else OTHER_STORE
        return Symptom(
            "mlflow_other_store",
            f"The script logs to {where}.",
            "Take mlflow.set_tracking_uri() out (or MLFLOW_TRACKING_URI): the job's run is set already. To log"
            " elsewhere on purpose, remove MLFLOW_RUN_ID from os.environ first.",
        )
    if text.startswith("Run with UUID") and "is already active" in text:
        return Symptom(
            "mlflow_active_run",
            "The script started an MLflow run while one was active.",
            "End the first (`with mlflow.start_run():` does), or start the second with `nested=True`.",
        )
    if "Changing param values is not allowed" in text:
        return Symptom(
            "mlflow_param_changed",
            "The script logged an MLflow parameter twice with different values.",
            "Log values that change as metrics, or under a nested run.",
        )
    return None


def memory(raised: Raised, facts: JobFacts) -> Symptom | None:
    """Python's own word for no memory; the GPU has its own."""
    if raised.name == "OutOfMemoryError":
        return machine.from_text("CUDA out of memory")
    if "MemoryError" in raised.name:
        symptom = machine.from_text("MemoryError")
        asked = first_line(raised.message)
        return symptom and Symptom("memory", f"{symptom.message} {asked}".strip(), symptom.hint)
    return None


def lacks_memory(raised: Raised, facts: JobFacts) -> bool:
    """Whether an exception, or what it was raised from, says that memory ran out: few programs go on after that."""
    return any(memory(each, facts) for each in raised.causes())


def child_killed(raised: Raised, facts: JobFacts) -> Symptom | None:
    """A program that the script started, and a signal ended."""
    found = DIED.search(raised.message[-LAST_WORDS:])
    number = getattr(signal, found["name"], None) if found else None
    return endings.killed(number, "A program that it started") if number is not None else None


def refusal(raised: Raised, facts: JobFacts) -> Symptom | None:
    """A refusal of the machine, by its words."""
    return machine.from_text(raised.message[:20_000])


def network(raised: Raised, facts: JobFacts) -> Symptom | None:
    """Another machine that did not answer, or said no."""
    if raised.name not in NETWORK:
        return None
    if (found := HTTP.search(raised.message)) and (code := found["code"] or found["other"]):
        hint = {"401": "It wants credentials.", "403": "It refuses these credentials.", "404": "Check the address."}
        return Symptom("http_error", f"A server answered with HTTP status {code}.", hint.get(code))
    return machine.from_text("Connection refused")


def unreadable(raised: Raised, facts: JobFacts) -> Symptom | None:
    """Data that is not what the script takes it for."""
    if raised.name not in UNREADABLE:
        return None
    hint = "Look at what it was reading: cut short, empty, or of another format."
    if raised.name == "UnicodeDecodeError":
        hint = "Open it with the encoding that it has (`encoding='latin-1'`, ...), or in binary mode."
    if facts.inputs:
        hint += f" The inputs of the job: {', '.join(facts.inputs)}."
    words = f"{raised.type}: {first_line(raised.message)}"
    return Symptom("unreadable_input", f"Data could not be read as what it was taken for. {words}", hint)


def interrupted(raised: Raised, facts: JobFacts) -> Symptom | None:
    """Ctrl-C, or SIGINT from elsewhere."""
    if raised.name != "KeyboardInterrupt":
        return None
    return Symptom("interrupted", "The script was interrupted (SIGINT).")


RULES: tuple[Rule, ...] = (
    syntax_error,
    tracking,
    memory,
    child_killed,
    refusal,
    import_failed,
    file_error,
    unreadable,
    network,
    interrupted,
)


def first_line(text: str) -> str:
    """The first line of a message."""
    return text.partition("\n")[0].strip()
