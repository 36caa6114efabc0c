"""`bakeoff serve`: load a run, listen, and say where."""

from __future__ import annotations

import logging
import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path

from bakeoff.errors import UsageError

INSTALL = "pip install 'bakeoff[serve]'"


def serve(
    directory: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    browser: bool = True,
    trust_code: bool = False,
    say: Callable[[str], None],
) -> None:
    """Serve the page of a run until it is interrupted; `say` hears its address once it listens.

    Where `host` is not this machine's loopback address, who asks must show a token, which is in the
    address. Raises UsageError where starlette or uvicorn are missing or it cannot listen there, and
    what reading the run raises.
    """
    try:
        import uvicorn

        from bakeoff.live.server import application
    except ModuleNotFoundError as error:
        raise UsageError(f"serve needs {error.name}, which is not installed; {INSTALL}") from error
    from bakeoff.live.guard import LOOPBACK
    from bakeoff.live.run import Run

    listening = _listening(host, port)
    with listening:
        run = Run(directory, trust_code=trust_code)
        token = "" if host in LOOPBACK else secrets.token_urlsafe(16)
        names = LOOPBACK | {host, socket.gethostname().lower()} if token else LOOPBACK
        config = uvicorn.Config(
            application(run, names, token, ending=lambda: server.should_exit),
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=2,
        )
        server = uvicorn.Server(config)
        # Whoever still waits when it ends is cut off, which is nobody's error.
        logging.getLogger("uvicorn.error").addFilter(lambda record: not server.should_exit)
        address = _address(host, listening.getsockname()[1], token)
        say(f"{address} (Ctrl-C ends it)")
        if browser:
            # It listens already, so the page waits for no more than the first answer.
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        server.run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=256)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{host}:{port}: cannot listen: {reason}; give another --port") from error
    # Connections take it over. asyncio sets it only where a socket names its protocol; without it
    # each answer waits 40 ms for the acknowledgement of its own head.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _address(host: str, port: int, token: str) -> str:
    """Return what to open: of all addresses of a machine its name."""
    name = socket.gethostname() if host in ("0.0.0.0", "::") else host  # noqa: S104
    name = f"[{name}]" if ":" in name else name
    return f"http://{name}:{port}/" + (f"?token={token}" if token else "")
