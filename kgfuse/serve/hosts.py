"""Who may ask: a guard against DNS rebinding, and CORS for pages of this machine."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HOST: Final = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Guard:
    """Answers only requests whose Host is ours; lets browser pages of allowed origins read the answers.

    A page of another site that rebinds its name to 127.0.0.1 still sends its own Host, and is turned away.

    Args:
        app: the application.
        hosts: allowed host names, without port; empty allows all.
        origins: allowed origins; ``*`` allows all. Pages served from loopback addresses may always read.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], origins: Collection[str]) -> None:
        self._app, self._hosts, self._origins = app, frozenset(hosts), frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.getlist("host")
        host = _host(given[0]) if len(given) == 1 else ""
        if not host:
            await PlainTextResponse("one Host is needed, a name or an address\n", 400)(scope, receive, send)
            return
        if self._hosts and host not in self._hosts:
            message = f"this server does not answer for the host {host!r}\n"
            await PlainTextResponse(message, 421)(scope, receive, send)
            return
        origin = headers.get("origin")

        async def reply(message: Message) -> None:
            if message["type"] == "http.response.start" and self._may_read(origin or ""):
                found = MutableHeaders(scope=message)
                found["Access-Control-Allow-Origin"] = "*" if "*" in self._origins else origin or ""
                found["Access-Control-Allow-Methods"] = "GET, HEAD, POST, OPTIONS"
                found["Access-Control-Allow-Headers"] = "Accept, Content-Type"
                found.add_vary_header("Origin")
            await send(message)

        await self._app(scope, receive, reply if origin else send)

    def _may_read(self, origin: str) -> bool:
        return "*" in self._origins or origin in self._origins or _host_name(origin) in LOOPBACK


@lru_cache(maxsize=256)
def _host(header: str) -> str:
    """The name in a Host header, without the port; empty where it is none."""
    return _host_name("//" + header) if _HOST.fullmatch(header) else ""


def _host_name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
