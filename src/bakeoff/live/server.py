"""The application behind the page: its routes, each of which asks the run and answers in JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bakeoff.errors import BakeoffError, UsageError, look_up
from bakeoff.findings.conclusion import REPORT
from bakeoff.live import told
from bakeoff.live.asked import Asked, Memory
from bakeoff.live.drawing import Drawn, drawn
from bakeoff.live.events import MOST_LISTENERS, Watch
from bakeoff.live.guard import LOOPBACK, MOST_BYTES, SEALED_OFF, Guard, TooLargeError
from bakeoff.live.likeness import Neighbours
from bakeoff.live.looking import seen_inside
from bakeoff.live.morph import FRAMES, MOST_FRAMES, morphed
from bakeoff.live.picks import disagree_picks, random_picks, wrong_picks
from bakeoff.live.run import Run
from bakeoff.records.own_images import count_own, keep_own
from bakeoff.report.palette import style_sheet
from bakeoff.report.pictures.raster import photograph, png

PAGE = Path(__file__).parent / "page"

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_LARGEST_REPORT = 100_000_000
MOST_PICKS = 100

Found = TypeVar("Found")


class Server:
    """The routes, and what lasts from one request to the next."""

    def __init__(self, run: Run, ending: Callable[[], bool]) -> None:
        self._run = run
        self._memory = Memory()
        # Answers wait for answers alone; what takes longer is done beside them.
        self._answering = ThreadPoolExecutor(1, "answering")
        self._looking = ThreadPoolExecutor(1, "looking")
        self._watch = Watch(self._told, ending)
        self._neighbours = Neighbours(run.dataset)

    @property
    def routes(self) -> list[Route]:
        """All that may be asked."""
        return [
            Route("/", self.page),
            Route("/page/palette.css", self.palette),
            Route("/page/{name}", self.page),
            Route("/report.html", self.report),
            Route("/api/run", self.run),
            Route("/api/events", self.events),
            Route("/api/picks", self.picks),
            Route("/api/own", self.own),
            Route("/api/ask", self.ask, methods=["POST"]),
            Route("/api/near", self.near, methods=["POST"]),
            Route("/api/inside", self.inside, methods=["POST"]),
            Route("/api/morph", self.morph, methods=["POST"]),
            Route("/api/keep", self.keep, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """Send a file of the page: one of those that lie there, and no other."""
        name = request.path_params.get("name", "index.html")
        files = {file.name: file for file in PAGE.iterdir() if file.suffix in _KINDS}
        if name not in files:
            raise HTTPException(404, f"no {name[:80]} here; open /")
        content = await asyncio.to_thread(files[name].read_bytes)
        return Response(content, media_type=_KINDS[files[name].suffix])

    async def palette(self, request: Request) -> Response:
        """Send the colours of the report, which are the page's."""
        del request
        return Response(style_sheet(), media_type=_KINDS[".css"])

    async def report(self, request: Request) -> Response:
        """Send the report of the run, shut off from this server."""
        del request
        place = self._run.folder.place(REPORT)
        content = await asyncio.to_thread(place.read, _LARGEST_REPORT)
        return Response(
            content, media_type=_KINDS[".html"], headers={"content-security-policy": SEALED_OFF}
        )

    async def run(self, request: Request) -> Response:
        """Tell what the run is and what it comes to."""
        del request
        await self._look(self._run.refresh)
        return JSONResponse(self._run.to_dict())

    async def events(self, request: Request) -> Response:
        """Tell what changes, for as long as somebody listens."""
        del request
        if self._watch.listeners >= MOST_LISTENERS:
            raise HTTPException(503, "too many pages are open; close some")
        return StreamingResponse(self._watch.listen(), media_type="text/event-stream")

    def _told(self) -> dict[str, Any]:
        self._looking.submit(self._run.refresh).result()
        return {"run": self._run.to_dict(), "progress": self._run.progress()}

    async def ask(self, request: Request) -> Response:
        """Let every network answer to a picture, or to a test image."""
        if request.headers.get("content-type", "").startswith("application/json"):
            asked = self._test(_number(await _document(request), "test"))
            return JSONResponse(await self._answer(lambda: self._said(asked, None)))
        content = await request.body()
        centre = request.query_params.get("centre", "1") != "0"
        return JSONResponse(await self._answer(lambda: self._said_of(content, centre=centre)))

    def _said_of(self, content: bytes, *, centre: bool) -> dict[str, Any]:
        """Return what all say of an encoded picture."""
        found = drawn(content, self._run.form, centre=centre)
        if found.image is None:
            return told.nothing(found)
        return self._said(Asked(found.image, None), found)

    def _said(self, asked: Asked, found: Drawn | None) -> dict[str, Any]:
        """Return what all say of an image; found: how it came to be one, if it was a picture."""
        answers = self._run.trained.answers(asked.image)
        self._memory.keep(asked)
        return told.answered(asked, found, answers, self._run.dataset)

    async def near(self, request: Request) -> Response:
        """Tell which training images lie nearest to an image, and how far for an image that is."""
        asked = self._named(await _document(request))
        found = await self._look(lambda: self._neighbours.near(asked.image))
        return JSONResponse(told.near(found, self._run.dataset))

    async def inside(self, request: Request) -> Response:
        """Show what the network of a trial shows of an image."""
        document = await _document(request)
        asked, seed = self._named(document), _number(document, "seed")
        entrant = str(document.get("entrant"))
        return JSONResponse(
            await self._look(lambda: seen_inside(self._run, asked.image, entrant, seed))
        )

    async def morph(self, request: Request) -> Response:
        """Tell how answers change on the straight way from one image to another."""
        document = await _document(request)
        steps = _number(document, "steps") if "steps" in document else FRAMES
        if not 2 <= steps <= MOST_FRAMES:
            raise UsageError(f"steps: give 2 to {MOST_FRAMES}")
        begin = self._named(document, "from").image
        end = await self._end(document, begin)
        return JSONResponse(await self._look(lambda: morphed(self._run, begin, end, steps)))

    async def _end(self, document: dict[str, Any], begin: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the image that a morph leads to."""
        to = document.get("to")
        if to == "nearest":
            found = await self._look(lambda: self._neighbours.near(begin, 1))
            nearest: NDArray[np.uint8] = self._run.dataset.train_images[int(found.indices[0])]
            return nearest
        if isinstance(to, dict):
            return self._test(_number(to, "test")).image
        return self._named(document, "to").image

    async def picks(self, request: Request) -> Response:
        """Tell of test images worth asking about."""
        kinds = {"random": random_picks, "disagree": disagree_picks, "wrong": wrong_picks}
        pick = look_up(request.query_params.get("kind", "random"), kinds, "no kind", UsageError)
        asked = request.query_params.get("count", "24")
        if not (asked.isdecimal() and 1 <= int(asked[:9]) <= MOST_PICKS):
            raise UsageError(f"count: give 1 to {MOST_PICKS}")
        run = self._run
        found = await self._look(lambda: pick(run.dataset, run.now.predicted, int(asked)))
        return JSONResponse(told.picks(found, run.dataset))

    async def keep(self, request: Request) -> Response:
        """Keep an image as a test case of the user's own: the one thing that is ever written."""
        document = await _document(request)
        asked, name = self._named(document), document.get("class")
        classes = self._run.dataset.classes
        if not isinstance(name, str) or name not in classes:
            raise UsageError("class: give one of the data's")
        folder = self._run.folder.place()
        content = png(photograph(asked.image, light_on_dark=False))
        file = await self._look(lambda: keep_own(folder, name, content))
        images = await self._look(lambda: count_own(folder, classes))
        return JSONResponse({"path": "/".join(file.steps), "images": images})

    async def own(self, request: Request) -> Response:
        """Tell how all do on the test cases of the user's own."""
        del request
        found = await self._look(self._run.own)
        return JSONResponse(told.cases(found, self._run.dataset.classes))

    def _test(self, index: int) -> Asked:
        images = self._run.dataset.test_images
        if not 0 <= index < len(images):
            raise UsageError(f"test image {index}: they are 0 to {len(images) - 1}")
        return Asked(np.array(images[index]), index)

    def _named(self, document: dict[str, Any], key: str = "image") -> Asked:
        asked = self._memory.find(document.get(key))
        if asked is None:
            raise HTTPException(404, "that image is not known any more; ask about it again")
        return asked

    async def _answer(self, do: Callable[[], Found]) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._answering, do)

    async def _look(self, do: Callable[[], Found]) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._looking, do)


async def _document(request: Request) -> dict[str, Any]:
    try:
        document = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise UsageError("not JSON; send an object") from error
    if not isinstance(document, dict):
        raise UsageError("not an object of JSON; send one")
    return document


def _number(document: dict[str, Any], key: str) -> int:
    value = document.get(key)
    if type(value) is not int:
        raise UsageError(f"{key}: give a whole number")
    return value


async def _refuse(request: Request, error: Exception) -> Response:
    del request
    if isinstance(error, HTTPException):
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)
    if isinstance(error, TooLargeError):
        return JSONResponse({"error": f"at most {MOST_BYTES:,} bytes are received"}, 413)
    if isinstance(error, ClientDisconnect):
        return Response(status_code=400)  # Nobody reads it.
    return JSONResponse({"error": str(error)}, 400)


def application(
    run: Run,
    names: frozenset[str] = LOOPBACK,
    token: str = "",
    ending: Callable[[], bool] = lambda: False,
) -> Guard:
    """Return what answers for a run: the routes behind their guard.

    ending: whether the server waits for everybody to leave, so that pages that listen are let go.
    """
    kinds: tuple[Any, ...] = (BakeoffError, HTTPException, TooLargeError, ClientDisconnect)
    routes = Server(run, ending).routes
    app = Starlette(routes=routes, exception_handlers=dict.fromkeys(kinds, _refuse))
    return Guard(app, names, token)
