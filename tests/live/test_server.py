from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from bakeoff.findings.inside import view_of
from bakeoff.live.run import Run
from bakeoff.live.serve import _listening

from .test_drawing import canvas, encoded


def asked(client: TestClient, index: int) -> Any:
    return client.post("/api/ask", json={"test": index}).json()


def test_the_page_is_what_lies_in_its_folder(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert client.get("/page/index.html").content == answer.content


def test_the_run_is_told(client: TestClient) -> None:
    told = client.get("/api/run").json()
    assert (told["state"], told["done"], told["planned"]) == ("finished", 4, 4)
    assert told["classes"] == list("0123456789")
    assert told["image"] == {"channels": 1, "height": 8, "width": 8}
    assert told["digits"] is True
    assert {each["name"]: each["seeds"] for each in told["entrants"]} == {
        "first": [0, 1],
        "second": [0, 1],
    }
    assert {each["verdict"] for each in told["entrants"]} <= {
        "stands first", "not told from first", "worse than first", "not told from second",
        "behind first, not yet proven", "behind second, not yet proven",
    }  # fmt: skip
    assert told["scored_on"] == "test images"
    assert told["report"] == "/report.html"


@pytest.mark.parametrize("index", [0, 7, 359])
def test_answers_are_those_of_inspect_to_the_bit(client: TestClient, run: Run, index: int) -> None:
    told = asked(client, index)
    assert told["test"]["index"] == index
    for answer in told["answers"]:
        for seed in answer["seeds"]:
            record = next(
                each
                for each in run.now.records
                if (each.entrant, each.seed) == (answer["entrant"], seed["seed"])
            )
            view = view_of(run.folder, record, run.dataset, index)
            assert seed["probabilities"] == view.probabilities.tolist()
            assert seed["class"] == view.predicted_name
        mean = np.mean([seed["probabilities"] for seed in answer["seeds"]], axis=0)
        assert answer["probabilities"] == pytest.approx(mean, abs=1e-6)
        assert answer["sure"] == max(answer["probabilities"])


def test_a_drawing_is_answered_with_the_steps_that_led_to_it(client: TestClient) -> None:
    told = client.post("/api/ask", content=encoded(canvas(3))).json()
    assert len(told["steps"]) == 5
    assert told["steps"][-1]["picture"] == told["picture"]
    assert told["picture"].startswith("data:image/png;base64,")
    assert [answer["entrant"] for answer in told["answers"]] == ["first", "second"]
    without = client.post("/api/ask?centre=0", content=encoded(canvas(3))).json()
    assert len(without["steps"]) == 3
    assert without["image"] != told["image"]


def test_nothing_gets_no_class(client: TestClient) -> None:
    told = client.post("/api/ask", content=encoded(np.zeros((9, 9), np.uint8))).json()
    assert told["empty"] == "nothing is drawn"
    assert told["answers"] == []
    assert told["image"] is None


def test_the_report_is_shut_off_from_the_server(client: TestClient, finished: Path) -> None:
    answer = client.get("/report.html")
    assert answer.content == (finished / "report.html").read_bytes()
    assert answer.headers["content-security-policy"].startswith("sandbox allow-scripts;")


def test_answers_are_sent_without_waiting_for_acknowledgements() -> None:
    with (
        _listening("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_who_is_cut_off_when_it_ends_gets_no_traceback(finished: Path) -> None:
    command = [sys.executable, "-m", "bakeoff", "serve", str(finished), "--no-browser"]
    with subprocess.Popen(
        [*command, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        port = int(re.findall(r":(\d+)/", server.stdout.readline())[0])
        half = f"POST /api/ask HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 9\r\n"
        with socket.create_connection(("127.0.0.1", port)) as waiting:
            waiting.sendall(f"{half}X-Bakeoff: 1\r\nExpect: 100-continue\r\n\r\n".encode())
            assert waiting.recv(12) == b"HTTP/1.1 100"  # It waits for the rest.
            server.terminate()
            _, complaint = server.communicate()
    assert complaint == ""
