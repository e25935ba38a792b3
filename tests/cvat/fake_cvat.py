"""A CVAT server of the few answers that ``cvat-cli`` needs; it keeps what it gets."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

FUNCTION, TASK = 7, 1
DATE = "2026-01-01T00:00:00Z"
LABEL = {"id": 5, "name": "cell", "type": "any", "attributes": [], "sublabels": []}
Given = dict[str, Any]  # the JSON that came, and the query under "query"


@dataclass
class FakeCvat:
    """One task with ``frames``, image files; requests are handed to agents in turn."""

    frames: Sequence[bytes]
    size: tuple[int, int] = (0, 0)  # width, height
    function: Given = field(default_factory=dict)
    waiting: list[Given] = field(default_factory=list)
    completed: list[Given] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    annotations: list[Given] = field(default_factory=list)
    url: str = ""
    # Called with what an agent completed, to ask for the next thing.
    after: Callable[[Given], Sequence[Given]] = lambda result: ()

    # ------------------------------------------------------------ functions, agents

    def registered(self, given: Given) -> Given:
        self.function = {key: given[key] for key in given if key != "query"}
        return self.described()

    def described(self, given: Given | None = None) -> Given:
        return {"id": FUNCTION, **self.function}

    def acquired(self, given: Given) -> Given:
        if not self.waiting or given["request_category"] != "interactive":
            return {"ar_assignment": None}
        return {"ar_assignment": {"ar_id": "one", "ar_params": self.waiting.pop(0)}}

    def complete(self, given: Given) -> Given:
        self.completed.append(given)
        self.waiting.extend(self.after(given))
        return {}

    def fail(self, given: Given) -> Given:
        self.failed.append(given["exc_info"])
        return {}

    # ----------------------------------------------------------------------- a task

    def task(self, given: Given) -> Given:
        summary = {"url": f"{self.url}/api/labels", "count": 0, "completed": 0}
        return {
            "id": TASK,
            "name": "cells",
            "jobs": {**summary, "validation": 0},
            "labels": summary,
            "size": len(self.frames),
            "data_chunk_size": len(self.frames),
            "data_original_chunk_type": "imageset",
            "organization": None,
            "project_id": None,
            "created_date": DATE,
            "updated_date": DATE,
        }

    def labels(self, given: Given) -> Given:
        return {"count": 1, "next": None, "previous": None, "results": [LABEL]}

    def meta(self, given: Given) -> Given:
        width, height = self.size
        frames = [
            {"name": f"{n}.png", "width": width, "height": height, "related_files": 0}
            for n in range(len(self.frames))
        ]
        return {
            "image_quality": 95,
            "deleted_frames": [],
            "frames": frames,
            "size": len(frames),
            "start_frame": 0,
            "stop_frame": len(frames) - 1,
            "chunk_size": len(frames),
            "chunks_updated_date": DATE,
        }

    def data(self, given: Given) -> bytes:
        if given["query"]["type"] == "frame":
            return self.frames[int(given["query"]["number"])]
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as chunk:
            for number, frame in enumerate(self.frames):
                chunk.writestr(f"{number:06}.png", frame)
        return content.getvalue()

    def annotated(self, given: Given) -> Given:
        self.annotations.extend(given["shapes"])
        return {"version": 0, "tags": [], "shapes": [], "tracks": []}

    # ------------------------------------------------------------------------- HTTP

    def answer(self, method: str, path: str, given: Given) -> Given | bytes | None:
        for (wanted, pattern), reply in REPLIES.items():
            if method == wanted and re.fullmatch(pattern, path):
                return reply(self, given)
        return None


ABOUT = dict.fromkeys(("name", "subtitle", "description", "logo_url"), "")
ABOUT["version"] = "2.73.0"
QUEUE = "/api/functions/queues/[^/]+/requests"
REPLIES: dict[tuple[str, str], Callable[[FakeCvat, Given], Given | bytes]] = {
    ("GET", "/api/server/about"): lambda server, given: ABOUT,
    ("POST", "/api/functions"): FakeCvat.registered,
    ("GET", f"/api/functions/{FUNCTION}"): FakeCvat.described,
    ("POST", f"{QUEUE}/acquire"): FakeCvat.acquired,
    ("POST", f"{QUEUE}/one/complete"): FakeCvat.complete,
    ("POST", f"{QUEUE}/one/fail"): FakeCvat.fail,
    ("GET", f"/api/tasks/{TASK}"): FakeCvat.task,
    ("GET", "/api/labels"): FakeCvat.labels,
    ("GET", f"/api/tasks/{TASK}/data/meta"): FakeCvat.meta,
    ("GET", f"/api/tasks/{TASK}/data/?"): FakeCvat.data,
    ("PATCH", f"/api/tasks/{TASK}/annotations/?"): FakeCvat.annotated,
}


@contextmanager
def serving(server: FakeCvat) -> Iterator[FakeCvat]:
    """``server`` on this machine while the block runs; ``server.url`` says where."""
    web = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(server))
    server.url = f"http://127.0.0.1:{web.server_port}"
    thread = Thread(target=web.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        web.shutdown()
        web.server_close()
        thread.join()


def handler_of(server: FakeCvat) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def reply(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            length = int(self.headers.get("Content-Length") or 0)
            given = json.loads(self.rfile.read(length)) if length else {}
            answer = server.answer(self.command, parts.path, {**given, "query": query})
            status = 404 if answer is None else 200
            is_file = isinstance(answer, bytes)
            body = answer if is_file else json.dumps(answer).encode()
            kind = "application/octet-stream" if is_file else "application/json"
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_PUT = reply  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    return Handler
