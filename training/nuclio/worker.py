"""A worker process that speaks nuclio's wire protocol, written from its description.

Started like nuclio's own wrapper, which the same tests drive where NUCLIO_SRC is set.
"""

from __future__ import annotations

import argparse
import json
import logging
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any, TextIO, TypeAlias

import msgpack
import nuclio_sdk
from nuclio_sdk.event import EventDeserializerKinds
from nuclio_sdk.json_encoder import Encoder
from nuclio_sdk.logger import JSONFormatter

Handler: TypeAlias = Callable[[Any, Any], Any]


class LogLine(JSONFormatter):
    """A log record as the processor tells it from an answer."""

    def format(self, record: logging.LogRecord) -> str:
        return "l" + str(super().format(record))


def main() -> None:
    options = arguments()
    logger = nuclio_sdk.Logger(level=10)
    module, _, name = options.handler.partition(":")
    handler = getattr(import_module(module), name)
    events, control = (
        connected(options.event_socket_path),
        connected(options.control_socket_path),
    )
    out = events.makefile("w", encoding="utf-8")
    logger.set_handler("default", out, LogLine())
    platform = nuclio_sdk.Platform(options.platform_kind, options.namespace)
    context = nuclio_sdk.Context(logger, platform, options.worker_id)
    starting = getattr(sys.modules[handler.__module__], "init_context", None)
    if starting is not None:
        starting(context)
    ready = {"kind": "wrapperInitialized", "attributes": {"ready": "true"}}
    control.sendall(json.dumps(ready).encode() + b"\n")
    said(out, "s")
    while (packet := framed(events)) is not None:
        answer(context, handler, packet, out)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in [
        "handler",
        "event-socket-path",
        "control-socket-path",
        "platform-kind",
    ]:
        parser.add_argument(f"--{name}", required=True)
    for name in ["namespace", "worker-id", "trigger-kind", "trigger-name"]:
        parser.add_argument(f"--{name}")
    parser.add_argument("--decode-event-strings", action="store_true")
    return parser.parse_args()


def connected(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(path)
    return connection


def framed(connection: socket.socket) -> bytes | None:
    head = received(connection, 4)
    return None if head is None else received(connection, *struct.unpack(">i", head))


def received(connection: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(min(count - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)


def answer(context: Any, handler: Handler, packet: bytes, out: TextIO) -> None:
    start = time.perf_counter()
    try:
        unpacked = msgpack.unpackb(packet, raw=False, max_bin_len=2**31 - 1)
        event = nuclio_sdk.Event.deserialize(unpacked, EventDeserializerKinds.msgpack)
        output = handler(context, event)
        said(out, "m" + json.dumps({"duration": time.perf_counter() - start}))
        encode = Encoder().encode
        response = encode(nuclio_sdk.Response.from_entrypoint_output(encode, output))
    except Exception:  # noqa: BLE001 - as nuclio does
        response = json.dumps(
            {
                "body": "Exception caught in handler: " + traceback.format_exc(),
                "body_encoding": "text",
                "content_type": "text/plain",
                "status_code": 500,
            }
        )
    said(out, "r" + response)


def said(out: TextIO, line: str) -> None:
    out.write(line + "\n")
    out.flush()


if __name__ == "__main__":
    main()
