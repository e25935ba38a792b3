"""A small nuclio processor: starts worker processes, sends events, reads answers.

The tests and the benchmark of the CVAT functions speak to them as nuclio does.
"""

from __future__ import annotations

import base64
import json
import math
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgpack

OURS = Path(__file__).with_name("worker.py")
WRAPPER = "pkg/processor/runtime/python/py/_nuclio_wrapper.py"
PATIENCE = 120  # seconds: a loaded machine imports torch slowly


def wrappers() -> list[Path]:
    """Our worker and, where NUCLIO_SRC names a checkout of nuclio, its own."""
    source = os.environ.get("NUCLIO_SRC")
    return [OURS, *([Path(source) / WRAPPER] if source else [])]


@dataclass(frozen=True)
class Answer:
    """What came back, what was logged meanwhile, and how long the handler took."""

    status: int
    content_type: str
    body: str
    logs: list[dict[str, Any]]
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Worker:
    """One worker process of a function; a context manager.

    Attributes
    ----------
    handler
        As in a ``function.yaml``.
    environment
        Variables beside those of this process.
    folder
        Where a ``main.py`` is looked for; None if the handler is installed.
    wrapper
        What nuclio starts.
    """

    handler: str = "main:handler"
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    wrapper: Path = OURS

    def __enter__(self) -> Worker:
        self.place = tempfile.TemporaryDirectory(prefix="nuclio-")
        paths = [f"{self.place.name}/{name}" for name in ("events", "control")]
        listeners = [listening(path) for path in paths]
        self.errors = Path(self.place.name, "stderr").open("w+")
        self.process = subprocess.Popen(
            self.command(paths),
            cwd=self.place.name,
            env={
                **os.environ,
                **({"PYTHONPATH": str(self.folder)} if self.folder else {}),
                "OMP_NUM_THREADS": "1",
                **self.environment,
            },
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
        )
        try:
            self.connections = [self.accepted(listener) for listener in listeners]
            self.connections[1].settimeout(0)
            self.said = b""
            self.lines = self.connections[0].makefile("r", encoding="utf-8")
            while self.line()[0] != "s":
                pass  # what it logs while it starts
        except BaseException:
            self.__exit__()
            raise
        finally:
            for listener in listeners:
                listener.close()
        return self

    def command(self, paths: Sequence[str]) -> list[str]:
        events, control = paths
        return [
            *(sys.executable, "-u", str(self.wrapper)),
            *("--handler", self.handler),
            *("--event-socket-path", events, "--control-socket-path", control),
            *("--platform-kind", "local", "--namespace", "nuclio", "--worker-id", "0"),
            *("--trigger-kind", "http", "--trigger-name", "myHttpTrigger"),
            "--decode-event-strings",
        ]

    def __exit__(self, *problem: object) -> None:
        for connection in getattr(self, "connections", []):
            connection.close()
        if hasattr(self, "lines"):
            self.lines.close()
        self.process.terminate()
        self.process.wait(10)
        self.errors.close()
        self.place.cleanup()

    def accepted(self, listener: socket.socket) -> socket.socket:
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            listener.settimeout(1)
            try:
                connection = listener.accept()[0]
            except TimeoutError:
                continue
            connection.settimeout(PATIENCE)
            return connection
        raise RuntimeError(f"the worker did not come up:\n{self.stderr}")

    @property
    def stderr(self) -> str:
        return Path(self.errors.name).read_text()

    @property
    def memory(self) -> int:
        """Bytes that the process has in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = [one for one in status.splitlines() if one.startswith("VmRSS")]
        return int(line.split()[1]) * 1024

    def ask(self, fields: Any, content_type: str = "application/json") -> Answer:
        """What the function answers to a body of JSON."""
        return self.send(json.dumps(fields).encode(), content_type)

    def send(self, body: bytes, content_type: str = "application/json") -> Answer:
        packet = msgpack.packb(event_of(body, content_type))
        with suppress(BrokenPipeError):  # reading tells why it is gone
            self.connections[0].sendall(struct.pack(">i", len(packet)) + packet)
        measured = math.nan  # a handler that raised was not measured
        logs: list[dict[str, Any]] = []
        while (line := self.line())[0] != "r":
            if line[0] == "l":
                logs.append(json.loads(line[1:]))
            if line[0] == "m":
                measured = json.loads(line[1:])["duration"]
        found = json.loads(line[1:])
        text = found["body"]
        if found["body_encoding"] == "base64":
            text = base64.b64decode(text).decode()
        logs += self.control_logs()
        status, kind = found["status_code"], found["content_type"]
        return Answer(status, kind, text, logs, measured)

    def line(self) -> str:
        """The next line; its first letter tells what it is."""
        with suppress(ConnectionResetError):  # no line then, either
            if line := self.lines.readline():
                return str(line)
        raise RuntimeError(f"the worker is gone:\n{self.stderr}")

    def control_logs(self) -> list[dict[str, Any]]:
        """What nuclio from 1.15 on logs; it comes before the answer does."""
        with suppress(BlockingIOError):
            while part := self.connections[1].recv(1 << 16):
                self.said += part
        *whole, self.said = self.said.split(b"\n")
        messages = [json.loads(line) for line in whole if line.strip()]
        return [one["attributes"] for one in messages if one["kind"] == "log"]


def listening(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(1)
    return listener


def event_of(body: bytes, content_type: str = "application/json") -> dict[str, Any]:
    """An event as nuclio's processor packs it."""
    return {
        "content_type": content_type,
        "content-type": content_type,
        "trigger": {"kind": "http", "name": "myHttpTrigger"},
        "fields": {},
        "headers": {"Content-Type": content_type},
        "id": str(uuid.uuid4()),
        "method": "POST",
        "path": "/",
        "size": len(body),
        "timestamp": int(time.time()),
        "url": "/",
        "shard_id": 0,
        "num_shards": 0,
        "type": "",
        "type_version": "",
        "version": "",
        "offset": 0,
        "topic": "",
        "body": body,
    }
