"""What every test may rely on: data, no network, a real window if it asks for one."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# The preferences of whoever runs the tests are neither read nor written.
_FOLDER = tempfile.TemporaryDirectory(prefix="napari-iseg-tests-")  # until exit
_SETTINGS = _FOLDER.name
os.environ["NAPARI_CONFIG"] = str(Path(_SETTINGS) / "settings.yaml")
os.environ["XDG_CONFIG_HOME"] = _SETTINGS
os.environ["APPDATA"] = _SETTINGS
os.environ["NAPARI_ISEG_TAUGHT"] = str(Path(_SETTINGS) / "taught")
os.environ.setdefault("MPLBACKEND", "Agg")

# Torch's optimisers import triton if it is there. After a window was drawn by Mesa in
# software, a second LLVM is loaded with it, and the process dies. No test needs triton.
sys.modules["triton"] = None  # type: ignore[assignment]

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real images with truth; its README tells what is in it."""
    root = Path(os.environ.get("ISEG_DATA", ROOT.parent / "shared" / "data"))
    if not root.is_dir():
        pytest.skip(f"no data at {root}; set ISEG_DATA to the folder that holds bench/")
    return root


# ------------------------------------------------------------------------- windows


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gui") and (problem := _why_no_window()):
        pytest.fail(problem, pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[None]:
    report = yield
    if (
        report.skipped
        and item.get_closest_marker("gui")
        and not hasattr(report, "wasxfail")
    ):
        report.outcome = "failed"
        report.longrepr = (
            f"a test of the real window may not be skipped: {report.longrepr}"
        )
    return report


def _why_no_window() -> str | None:
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform == "linux" and not screen:
        return "there is no display for a napari window; run the tests with `make test`"
    if os.environ.get("QT_QPA_PLATFORM") == "offscreen":
        return "QT_QPA_PLATFORM=offscreen cannot draw images; unset it"
    return None


# ------------------------------------------------------------------------- network


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test that reaches for the network fails, even if the code hides the error."""
    attempts: list[str] = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        # Connecting a datagram socket sends nothing: dask asks its own address so.
        if self.type != socket.SOCK_DGRAM and not _is_here(self.family, address):
            attempts.append(str(address))
            raise OSError(f"tests have no network, asked for {address}")
        connect(self, address)

    def guarded_look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        if not _is_here(socket.AF_INET, (host,)):
            attempts.append(str(host))
            raise socket.gaierror(f"tests have no network, asked for {host}")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
    yield
    assert not attempts, f"this test reached for the network: {', '.join(attempts)}"


def _is_here(family: int, address: Any) -> bool:
    if family not in (socket.AF_INET, socket.AF_INET6):
        return True
    host = address[0]
    name = host.decode() if isinstance(host, bytes) else host
    return name in (None, "", "localhost", "::1", "0.0.0.0", socket.gethostname()) or (
        name.startswith("127.")
    )
