"""The systemd user unit of a workspace's agent: it starts at login or, for a user who lingers, at boot, and stays."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from store.disk import explain, write_whole
from store.errors import MachineError
from store.layout import Layout

KEPT = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "UV_CACHE_DIR")
"""Where things of the user lie: the service manager may not know what the shell does."""

TEXT = """\
[Unit]
Description=Workbench agent of {root}
ConditionPathExists={root}/workbench.db

[Service]
Type=exec
ExecStart={command}
Environment=WORKBENCH_AGENT_IDLE_SECONDS=inf
{environment}StandardOutput=append:{log}
StandardError=append:{log}
UMask=0077
Restart=on-failure
RestartSec=5
# Jobs outlive their agent, and one that runs out of memory is no reason to end it.
KillMode=process
OOMPolicy=continue

[Install]
WantedBy=default.target
"""
SECONDS = 30.0


def name(layout: Layout) -> str:
    """The unit's name; the socket's has the same number."""
    return f"workbench-agent-{layout.agent_socket.stem.removeprefix('wb-')}.service"


def path(layout: Layout) -> Path:
    """Where the unit lies (systemd.unit(5))."""
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return folder / "systemd" / "user" / name(layout)


def text(layout: Layout) -> str:
    """What the unit says, for this Python and this workspace."""
    words = [sys.executable, "-P", "-m", "workbench.agent", str(layout.root)]
    kept = [f"{key}={os.environ[key]}" for key in KEPT if os.environ.get(key)]
    return TEXT.format(
        root=plain(str(layout.root)),
        command=" ".join(quoted(word).replace("$", "$$") for word in words),
        environment="".join(f"Environment={quoted(each)}\n" for each in kept),
        log=plain(str(layout.agent_log)),
    )


def plain(value: str) -> str:
    """A value to the end of its line, in which ``%`` means something (systemd.unit(5))."""
    return value.replace("%", "%%")


def quoted(value: str) -> str:
    """One word of several (systemd.syntax(7))."""
    return '"' + plain(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def enable(layout: Layout) -> Path:
    """Install the unit, for the next start of the agent on; returns its file. Raises MachineError."""
    if shutil.which("systemctl") is None:
        raise MachineError(
            "there is no systemctl: without systemd nothing starts an agent by itself",
            hint="Every command that needs one starts it. From cron: `@reboot workbench agent start`.",
        )
    if "\n" in str(layout.root):
        raise MachineError(f"a unit cannot name the workspace {str(layout.root)!r}: its path has a line break")
    systemctl("show-environment")
    file = path(layout)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, text(layout))
    except OSError as error:
        raise explain(error, "the unit cannot be written") from error
    systemctl("daemon-reload")
    systemctl("enable", file.name)
    return file


def start(layout: Layout) -> bool:
    """Have the service manager start the agent; False where there is no unit, or nobody to start it."""
    file = path(layout)
    if not file.exists():
        return False
    try:
        systemctl("start", file.name)
    except MachineError:
        return False
    return True


def disable(layout: Layout) -> bool:
    """Stop the agent and remove the unit, also where no service manager answers; False when there was none."""
    file = path(layout)
    if not file.exists():
        return False
    try:
        systemctl("disable", "--now", file.name)
    except MachineError:
        (file.parent / "default.target.wants" / file.name).unlink(missing_ok=True)
    file.unlink()
    with contextlib.suppress(MachineError):  # one that does not answer reads anew when it starts
        systemctl("daemon-reload")
    return True


def systemctl(*arguments: str) -> None:
    """Tell the user's service manager something. Raises MachineError with what it answers."""
    command = ["systemctl", "--user", *arguments]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
        answer = done.stderr.strip() if done.returncode else None
    except (OSError, subprocess.TimeoutExpired) as error:
        answer = str(error)
    if answer is not None:
        raise MachineError(
            f"`{' '.join(command)}` failed: {answer or 'it does not say why'}",
            hint="It needs a session of your own: log in directly (not by su or sudo), or `loginctl enable-linger` "
            "and set XDG_RUNTIME_DIR=/run/user/$(id -u).",
        )
