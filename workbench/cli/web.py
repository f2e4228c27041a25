"""``workbench web``."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import click

from store.errors import UsageError
from workbench.cli.options import Session, workspace_option
from workbench.cli.talk import say

DEFAULT_PORT = 8484


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0 takes a free one."
)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address to listen on.")
@click.option("--allow-remote", is_flag=True, help="Let --host be an address that other machines reach.")
@workspace_option
def web(session: Session, port: int, host: str, allow_remote: bool) -> None:
    """Serve the terminal UI to a browser on this machine.

    The address that is printed opens one browser, once; from then on a cookie lets it in. $EDITOR is off there. From
    another machine: ssh -L 8484:localhost:8484 HOST.
    """
    if not (is_loopback(host) or allow_remote):
        raise UsageError(
            f"{host} can be reached from other machines, and whoever controls the terminal UI runs commands as you",
            hint="From elsewhere use ssh -L, which also encrypts. --allow-remote serves it without.",
        )
    from workbench.web.server import prepare_environment, serve

    def tell(address: str) -> None:
        click.echo(address)
        say("open it in a browser; Ctrl-C ends the server, jobs go on")

    prepare_environment()
    asyncio.run(serve(str(session.layout.root), host, port, remote=not is_loopback(host), tell=tell))


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
