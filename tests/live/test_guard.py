"""A matrix of attacks: what is tried, and what it gets."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from bakeoff.live.guard import LOOPBACK, MOST_BYTES, POLICY
from bakeoff.live.run import Run
from bakeoff.live.server import application

from .test_drawing import canvas, encoded

NO_IMAGE = "not an image of a kind that is read; get the file again, or take it out"
ELSEWHERE = "asked by a page elsewhere; open the page itself"


@pytest.fixture
def stranger(run: Run) -> TestClient:
    """Return what sends no header of ours."""
    return TestClient(application(run), base_url="http://127.0.0.1:8080")


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil:80", "192.168.0.9", "[::2]", ""],
)  # fmt: skip
def test_a_name_that_leads_here_is_not_ours(stranger: TestClient, host: str) -> None:
    assert error(stranger.get("/api/run", headers={"Host": host})) == (
        403,
        f"not for {host!r}; open the address that bakeoff serve printed",
    )


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:9000", "LOCALHOST", "[::1]:8080"])
def test_names_of_this_machine_are_ours(stranger: TestClient, host: str) -> None:
    assert stranger.get("/api/run", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:8080"},
        {"Origin": "http://127.0.0.1:8081"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_elsewhere_may_not_ask(
    stranger: TestClient, method: str, headers: Mapping[str, str]
) -> None:
    answer = stranger.request(method, "/api/run", headers={**headers, "X-Bakeoff": "1"})
    assert error(answer) == (403, ELSEWHERE)


def test_a_link_elsewhere_may_lead_here(stranger: TestClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert stranger.get("/", headers=headers).status_code == 200
    assert stranger.post("/api/ask", headers=headers).status_code == 403


def test_a_form_elsewhere_may_not_post(stranger: TestClient) -> None:
    assert error(stranger.post("/api/keep", json={"image": "x", "class": "1"})) == (
        403,
        "a request without x-bakeoff; open the page itself",
    )


@pytest.mark.parametrize(
    "path",
    [
        "/page/../server.py",
        "/page/..%2f..%2fserver.py",
        "/page/%2e%2e/server.py",
        "/page/%2fetc%2fpasswd",
        "/page/..%5cserver.py",
        "/page/index.html%00.py",
        "/page/",
        "/study.toml",
        "/own-images/1/0000.png",
        "/api/none",
        "/__init__.py",
    ],
)
def test_paths_lead_nowhere_else(stranger: TestClient, path: str) -> None:
    answer = stranger.get(path)
    assert answer.status_code == 404
    assert list(answer.json()) == ["error"]


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/api/keep"), ("DELETE", "/"), ("GET", "/api/ask")]
)
def test_other_methods_do_nothing(client: TestClient, method: str, path: str) -> None:
    assert error(client.request(method, path)) == (405, "Method Not Allowed")


def test_a_length_that_is_too_much_is_not_received(client: TestClient) -> None:
    told = f"at most {MOST_BYTES:,} bytes are received; send less"
    for length in (str(MOST_BYTES + 1), "9" * 40, "-1", "many"):
        answer = client.post("/api/ask", content=b"", headers={"Content-Length": length})
        assert error(answer) == (413, told)


def test_so_is_what_tells_no_length(client: TestClient) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(MOST_BYTES // 2**20 + 2):
            yield bytes(2**20)

    answer = client.post("/api/ask", content=endless())
    assert error(answer) == (413, f"at most {MOST_BYTES:,} bytes are received")


def bomb(side: int) -> bytes:
    """Return a PNG of a few kilobytes that would unpack into side x side pixels."""
    deflate = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    data = b"".join(deflate.compress(row) for _ in range(side)) + deflate.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "empty (0 bytes); get the file again, or take it out"),
        (b"<html>", "a web page, not an image; get the file again, or take it out"),
        (b"\x89PNG\r\n\x1a\n", NO_IMAGE),
        (b"%!PS", NO_IMAGE),
        (bomb(20_000), "20000 x 20000 are 400,000,000 pixels, at most 100,000,000 are unpacked; "
         "make it smaller, or take it out"),
        (bomb(6_000), "6000 x 6000 pixels, at most 25,000,000 are unpacked; make it smaller"),
    ],
    ids=["nothing", "a page", "a beginning", "a program", "a bomb", "a small bomb"],
)  # fmt: skip
def test_what_is_no_small_picture_is_refused(client: TestClient, content: bytes, line: str) -> None:
    assert error(client.post("/api/ask", content=content)) == (400, line)


@pytest.mark.parametrize(
    ("path", "document", "status", "line"),
    [
        ("ask", b"[" * 100_000, 400, "not JSON; send an object"),
        ("ask", b"[1]", 400, "not an object of JSON; send one"),
        ("ask", b'{"test": 1e9}', 400, "test: give a whole number"),
        ("ask", b'{"test": -1}', 400, "test image -1: they are 0 to 499"),
        ("ask", b'{"test": 500}', 400, "test image 500: they are 0 to 499"),
        ("ask", b'{"test": true}', 400, "test: give a whole number"),
        ("near", b'{"image": "../x"}', 404, "that image is not known any more; ask about it again"),
        ("near", b'{"image": [1]}', 404, "that image is not known any more; ask about it again"),
        ("morph", b'{"from": "x", "steps": 100000}', 400, "steps: give 2 to 101"),
        ("keep", b'{"image": "x", "class": "1"}', 404,
         "that image is not known any more; ask about it again"),
    ],
)  # fmt: skip
def test_documents_that_ask_for_nonsense_are_refused(
    client: TestClient, path: str, document: bytes, status: int, line: str
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post(f"/api/{path}", content=document, headers=headers)
    assert error(answer) == (status, line)


@pytest.mark.parametrize("name", ["../../up", "/etc", "", "ten", None, 1, ["1"], "1/../2"])
def test_a_class_that_is_none_is_not_kept(client: TestClient, name: object, finished: Path) -> None:
    image = client.post("/api/ask", json={"test": 1}).json()["image"]
    answer = client.post("/api/keep", json={"image": image, "class": name})
    assert error(answer) == (400, "class: give one of the data's")
    assert not (finished / "own-images").exists()


@pytest.mark.parametrize("count", ["0", "101", "-1", "1e3", "x" * 5000])
def test_counts_have_an_end(client: TestClient, count: str) -> None:
    assert error(client.get(f"/api/picks?count={count}")) == (400, "count: give 1 to 100")


def test_every_answer_says_what_a_page_may_do(client: TestClient) -> None:
    for answer in (client.get("/"), client.get("/none"), client.get("/", headers={"Host": "x"})):
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "unsafe" not in POLICY


def test_no_socket_opens(stranger: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), stranger.websocket_connect("/api/events"):
        pass


def test_elsewhere_a_token_is_needed(run: Run) -> None:
    guarded = application(run, LOOPBACK | {"classroom"}, "secret")
    page = TestClient(guarded, base_url="http://classroom:8080", follow_redirects=False)
    line = "no token; open the whole address that bakeoff serve printed"
    assert error(page.get("/")) == (401, line)
    assert error(page.get("/?token=secre")) == (401, line)
    assert error(page.get("/api/run", headers={"Cookie": "bakeoff=wrong"})) == (401, line)
    assert page.get("/", headers={"Host": "evil.example"}).status_code == 403
    entered = page.get("/?token=secret&a=1")
    assert (entered.status_code, entered.headers["location"]) == (303, "/?a=1")
    assert entered.headers["set-cookie"] == "bakeoff=secret; HttpOnly; Path=/; SameSite=strict"
    assert page.get("/api/run").status_code == 200


def test_nothing_is_written_by_asking(client: TestClient, finished: Path) -> None:
    def files() -> dict[Path, int]:
        return {each: each.stat().st_mtime_ns for each in finished.rglob("*")}

    before = files()
    image = client.post("/api/ask", content=encoded(canvas(8))).json()["image"]
    client.post("/api/near", json={"image": image})
    client.post("/api/inside", json={"image": image, "entrant": "first", "seed": 0})
    for path in ("/api/run", "/api/own", "/api/picks?kind=wrong", "/report.html"):
        assert client.get(path).status_code == 200
    assert files() == before
