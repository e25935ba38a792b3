"""The small processor: what it reads of workers, old and new, and of dead ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.nuclio import Worker

# A wrapper of the newest kind: its log goes to the control socket.
WRAPPER = """
import json, socket, struct, sys

def connected(name):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(sys.argv[sys.argv.index(name) + 1])
    return connection

events, control = connected("--event-socket-path"), connected("--control-socket-path")
events.sendall(b"s\\n")
while head := events.recv(4):
    left = struct.unpack(">i", head)[0]
    while left:
        left -= len(events.recv(left))
    log = {"level": "info", "message": "asked", "with": {"n": 1}}
    for kind in ("other", "log"):
        message = {"kind": kind, "attributes": log}
        control.sendall(json.dumps(message).encode() + b"\\n")
    events.sendall(b'm{"duration": 0.25}\\n')
    answer = {"body": "aGVsbG8=", "body_encoding": "base64", "status_code": 200}
    answer["content_type"] = "text/plain"
    events.sendall(b"r" + json.dumps(answer).encode() + b"\\n")
"""


def wrapper(folder: Path, text: str) -> Path:
    path = folder / "wrapper.py"
    path.write_text(text)
    return path


def test_answer_log_and_duration_are_read_from_both_sockets(tmp_path: Path):
    with Worker(wrapper=wrapper(tmp_path, WRAPPER)) as worker:
        answers = [worker.ask({"n": n}) for n in range(2)]

    assert [one.body for one in answers] == ["hello", "hello"]
    assert [one.seconds for one in answers] == [0.25, 0.25]
    assert [line["message"] for one in answers for line in one.logs] == ["asked"] * 2


def test_a_worker_that_does_not_start_shows_its_error(tmp_path: Path):
    broken = Worker(wrapper=wrapper(tmp_path, "raise SystemExit('no weights')"))

    with pytest.raises(RuntimeError, match="did not come up:\nno weights"), broken:
        pass


def test_a_worker_that_dies_shows_its_error(tmp_path: Path):
    dying = WRAPPER.replace("while head", "sys.exit('out of memory')\nwhile head")

    with (
        Worker(wrapper=wrapper(tmp_path, dying)) as worker,
        pytest.raises(RuntimeError, match="the worker is gone:\nout of memory"),
    ):
        worker.ask({})
