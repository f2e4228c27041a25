"""Python modules that were not found, or found in the wrong place."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from engines.jobs.symptoms import paths
from engines.jobs.symptoms.cause import JobFacts, Symptom

DISTRIBUTIONS = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "Crypto": "pycryptodome",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "faiss": "faiss-cpu",
    "fitz": "pymupdf",
    "git": "gitpython",
    "hydra": "hydra-core",
    "imblearn": "imbalanced-learn",
    "jwt": "pyjwt",
    "magic": "python-magic",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "pkg_resources": "setuptools",
    "psycopg2": "psycopg2-binary",
    "pytorch_lightning": "pytorch-lightning",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "skopt": "scikit-optimize",
    "umap": "umap-learn",
    "usb": "pyusb",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}
"""Packages whose name is not that of the module they bring."""

SHADOW_FILE = re.compile(r"['(](?P<file>/[^']{1,4096}?\.py)['),]")
SHADOW_NAME = re.compile(r"module '(?P<name>[\w.]+)'|from '(?P<other>[\w.]+)'")
NO_PACKAGE = re.compile(r"; '(?P<name>\w+)' is not a package")


def distribution(module: str) -> str:
    """The package to install for a module."""
    top = module.partition(".")[0]
    return DISTRIBUTIONS.get(top, top.replace("_", "-"))


def missing(module: str, facts: JobFacts) -> Symptom:
    """The words for a module that Python did not find."""
    top = module.partition(".")[0]
    message = f"Python found no module {module!r}."
    if top in sys.stdlib_module_names:
        return Symptom("missing_module", message, "It is part of Python, but not of the version or build that ran.")
    if place := paths.elsewhere(f"{top}.py", facts) or paths.elsewhere(top, facts):
        return Symptom("missing_module", message, own_module_hint(place, facts))
    if facts.code is not None and (paths.exists(facts.code / f"{top}.py") or paths.exists(facts.code / top)):
        return Symptom("missing_module", message, paths.advice(left_out(top, facts.code), facts))
    return Symptom("missing_module", message, environment_hint(distribution(module), facts))


def left_out(top: str, code: Path) -> str:
    """The file or folder in the user's code that a module name stands for."""
    return f"{top}.py" if paths.exists(code / f"{top}.py") else top


def own_module_hint(place: Path, facts: JobFacts) -> str:
    """What to do when the module is the user's own."""
    if str(place.parent) == ".":
        return f"{place} is in the code, but Python did not look there: add `environment_variables: {{PYTHONPATH: .}}`."
    return (
        f"{place} is in the code, in a folder where Python did not look:"
        f" add `environment_variables: {{PYTHONPATH: {place.parent}}}`, or start the script from there."
    )


def environment_hint(package: str, facts: JobFacts) -> str:
    """How an environment comes to have a package."""
    listed = {re.split(r"[\s\[<>=!~;@]", each, maxsplit=1)[0].lower().replace("_", "-") for each in facts.requirements}
    if package.lower() in listed:
        return (
            f"The environment lists {package}, so another Python than the environment's ran:"
            " write `python` in the command, without a path."
        )
    if facts.conda_file:
        return f"Add {package} to the dependencies in {facts.conda_file} and run it again."
    if facts.environment is None:
        return (
            "The job ran in the Python that runs Workbench. Give it an `environment:` whose `conda_file` lists"
            f" {package}, or one that has it: `--set environment=azureml:NAME@latest`."
        )
    return (
        f"{facts.environment} does not have {package}: run it with another environment"
        f" (`--set environment=azureml:NAME@latest`), or with one whose `conda_file` lists {package}."
    )


def shadowed(text: str, facts: JobFacts) -> Symptom | None:
    """A file of the user's that Python took for a library, from the words of the exception."""
    if package := NO_PACKAGE.search(text):
        top = package["name"]
        file = f"{top}.py"
        return shadow(top, file) if paths.exists(facts.working_copy / file) else None
    if "module" not in text and "cannot import name" not in text:
        return None
    named = SHADOW_NAME.search(text)
    name = (named["name"] or named["other"]).partition(".")[0] if named else ""
    found = SHADOW_FILE.search(text)
    place = facts.inside(found["file"]) if found else None
    if place is None and name in sys.stdlib_module_names and paths.exists(facts.working_copy / f"{name}.py"):
        place = Path(f"{name}.py")
    if place is None or not name or place.stem not in (name, "__init__"):
        return None
    foreign = name in sys.stdlib_module_names or name in DISTRIBUTIONS or installed_here(name)
    return shadow(name, str(place)) if foreign else None


def installed_here(name: str) -> bool:
    """Whether the Python that runs Workbench has a library of this name: a sign that the user meant it."""
    from importlib.machinery import PathFinder

    folders = [entry for entry in sys.path if "site-packages" in entry or "dist-packages" in entry]
    return PathFinder.find_spec(name, folders) is not None


def shadow(name: str, file: str) -> Symptom:
    """The words for a file that hides a library."""
    return Symptom(
        "shadowed_module",
        f"Your file {file} has the name of the library {name!r}, so `import {name}` found your file instead.",
        f"Rename {file} (and remove its __pycache__).",
    )
