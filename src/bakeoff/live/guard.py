"""What every request passes first: who may ask, how much may be sent, and what a page may do.

A page on another site may not ask (Host, Origin and a header that only our scripts can send), also
where a name of that site leads to this machine (DNS rebinding); more than MOST_BYTES is not even
received; and pages run no script or style that does not lie in the package.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Collection
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 20_000_000
"""Of one request: photographs of telephones have a quarter of it."""

COOKIE = "bakeoff"
OWN_HEADER = "x-bakeoff"
"""With any value: a script elsewhere must ask the browser for leave before it sends it."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SEALED_OFF = "sandbox allow-scripts; frame-ancestors 'none'"
"""For the report, which has a policy of its own and may come from anywhere: no origin, so that it
can ask this server for nothing."""

_SAME = {"same-origin", "none"}


class Guard:
    """Refuses what may not be asked before anything reads it."""

    def __init__(self, app: ASGIApp, names: Collection[str] = LOOPBACK, token: str = "") -> None:
        """Let requests pass that are for one of these host names.

        token: what a browser must show, as `?token=` once and by its cookie from then on; without
        it every request on this machine passes. With it, addresses in numbers are names, too.
        """
        self._app, self._names, self._token = app, frozenset(names), token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on to the application."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self._refused(scope, headers)
        if refused is not None:
            await refused(scope, receive, _with_headers(send))
            return
        await self._app(scope, _limited(receive), _with_headers(send))

    def _refused(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not self._is_ours(_name_of(host)):
            return _no(403, f"not for {host[:80]!r}; open the address that bakeoff serve printed")
        origin = headers.get("origin", f"http://{host}")
        if origin != f"http://{host}" or headers.get("sec-fetch-site", "none") not in _SAME:
            if scope["method"] == "GET" and headers.get("sec-fetch-mode") == "navigate":
                # A link that somebody follows reads nothing out to the page that it stood on.
                return self._without_token(scope, headers)
            return _no(403, "asked by a page elsewhere; open the page itself")
        if scope["method"] == "POST" and OWN_HEADER not in headers:
            return _no(403, f"a request without {OWN_HEADER}; open the page itself")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > MOST_BYTES:
            return _no(413, f"at most {MOST_BYTES:,} bytes are received; send less")
        return self._without_token(scope, headers)

    def _is_ours(self, name: str) -> bool:
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return bool(self._token)

    def _without_token(self, scope: Scope, headers: Headers) -> Response | None:
        """Return what who shows no token gets; who brings it in the address gets the cookie."""
        if not self._token:
            return None
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        if _same(asked.pop("token", [""])[0], self._token):
            rest = urlencode(asked, doseq=True)
            # Away from the address: it would stay in the history and go out with a link.
            answer = RedirectResponse(f"{scope['path']}?{rest}".rstrip("?"), 303)
            answer.set_cookie(COOKIE, self._token, httponly=True, samesite="strict", path="/")
            return answer
        if _same(_cookie(headers), self._token):
            return None
        return _no(401, "no token; open the whole address that bakeoff serve printed")


def _name_of(host: str) -> str:
    """Return the name in a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].rstrip(".").lower()


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value


def _same(shown: str, token: str) -> bool:
    return secrets.compare_digest(shown.encode(), token.encode())


def _no(status: int, line: str) -> Response:
    return JSONResponse({"error": line}, status)


def _limited(receive: Receive) -> Receive:
    """Return what receives as much as may be sent, also where no length was told."""
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MOST_BYTES:
            raise TooLargeError
        return message

    return limited


class TooLargeError(Exception):
    """More was sent than is received."""


def _with_headers(send: Send) -> Send:
    """Return what sends an answer with all that browsers are told of safety."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("content-security-policy", POLICY)
            headers["x-content-type-options"] = "nosniff"
            headers["referrer-policy"] = "no-referrer"
            headers["cross-origin-resource-policy"] = "same-origin"
            headers["cross-origin-opener-policy"] = "same-origin"
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return sending
