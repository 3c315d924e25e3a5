"""Routes: what a server answers to which request.

    {"/x": HttpResponse(200, "hello"),         a response, to any method
     "GET /x?a=1": "text",                     text is a response of 200; the method and the query may be named
     "POST /x": answer,                        a function of the request, or a coroutine function; it gives any of these
     "/files/*": answer,                       "*" stands for anything
     "/raw": b"HTTP/1.1 200 OK\\r\\n..."}        bytes go out as they are, and are the whole response

The most particular route counts: a named method before none, an exact target before a pattern, the longer before the
shorter. HEAD is answered by GET's route where it has none of its own. Functions run on the servers' loop: they must not
block; a coroutine function may wait.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping

from mockservers.http.message import HttpRequest, HttpResponse

Answer = HttpResponse | bytes | str
Route = Answer | Callable[[HttpRequest], Answer | Awaitable[Answer]]


def find_route(routes: Mapping[str, Route], request: HttpRequest) -> Route | None:
    """The route of a request; None = there is none for its target, or none for its method."""
    found = [key for key in routes if _matches(key, request)]
    return routes[max(found, key=lambda key: _rank(key, request))] if found else None


def allowed_methods(routes: Mapping[str, Route], request: HttpRequest) -> list[str]:
    """The methods that have a route for this target."""
    return sorted({method for method, target in map(_split, routes) if method and _fits(target, request)})


def _split(key: str) -> tuple[str, str]:
    method, blank, target = key.partition(" ")
    return (method.upper(), target) if blank else ("", key)


def _matches(key: str, request: HttpRequest) -> bool:
    method, target = _split(key)
    methods = ("", "GET", "HEAD") if request.method == "HEAD" else ("", request.method)
    return method in methods and _fits(target, request)


def _fits(target: str, request: HttpRequest) -> bool:
    subject = f"{request.path}?{request.query}" if "?" in target else request.path
    if "*" not in target:
        return target in (subject, request.target)
    return re.fullmatch(".*".join(map(re.escape, target.split("*"))), subject, re.DOTALL) is not None


def _rank(key: str, request: HttpRequest) -> tuple[bool, bool, bool, int]:
    method, target = _split(key)
    return method == request.method, bool(method), "*" not in target, len(target)


async def call_route(route: Route, request: HttpRequest) -> Answer:
    """What a route answers to this request."""
    if not callable(route):
        return route
    answer = route(request)
    return await answer if inspect.isawaitable(answer) else answer
