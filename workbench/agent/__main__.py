"""``python -m workbench.agent WORKSPACE``: the agent's process."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from contextlib import closing
from pathlib import Path
from types import FrameType

from store.errors import WorkbenchError
from store.layout import Layout
from workbench.agent.channel import Channel
from workbench.agent.lock import AgentLock
from workbench.agent.loop import IDLE_SECONDS, Agent
from workbench.agent.version import VERSION

TAKE_OVER_SECONDS = 5.0
"""How long a new agent waits for one that is just leaving."""


def main(root: str) -> int:
    """Run the workspace's agent; leaves at once when there is one already."""
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    layout = Layout(Path(root))
    lock = AgentLock(layout)
    if not lock.acquire(VERSION, TAKE_OVER_SECONDS):
        return 0
    logging.info("agent %s of %s begins, process %d", VERSION, layout.root, os.getpid())
    try:
        serve(layout)
    except WorkbenchError as error:
        logging.error("%s", error)
        return error.exit_code
    finally:
        lock.release()
    logging.info("agent leaves, process %d", os.getpid())
    return 0


def serve(layout: Layout) -> None:
    """Work until idle or told to leave. Until the signals are heeded they end the process, which is as good."""
    with closing(Channel(layout)) as channel, closing(Agent(layout, channel)) as agent:

        def leave(_number: int, _frame: FrameType | None) -> None:
            agent.leave()

        channel.hear_signals()
        signal.signal(signal.SIGTERM, leave)
        signal.signal(signal.SIGINT, leave)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        gc.freeze()
        agent.run(float(os.environ.get("WORKBENCH_AGENT_IDLE_SECONDS", IDLE_SECONDS)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
