"""A machine with a nuctl and a docker that only write down what they are asked."""

from __future__ import annotations

import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

FUNCTIONS = Path(__file__).parents[2] / "cvat_functions"
BASH = shutil.which("bash") or "bash"
NEEDED = ("bash", "cat", "cp", "dirname", "find", "head", "ls", "mkdir", "mktemp", "rm")
NEEDED += ("sed", "sort", "tr", "wc", "xargs")
NUCLIO = "1.16.3"
FAKE = """#!{bash}
printf '%s\\037' {name} "$@" >>"$LOG"
echo >>"$LOG"
{then}
"""
NUCTL = f"""
case "$1" in
    version) printf 'Client version:\\n"Label: {NUCLIO}, Git commit: abc, OS: linux"' ;;
esac
"""
DOCKER = f"""
case "$1 ${{2:-}}" in
    "ps --format") printf 'cvat/server\\nquay.io/nuclio/dashboard:{NUCLIO}-amd64\\n' ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """A PATH with our own nuctl and docker, and the log that they write."""

    place: Path

    def with_tool(self, name: str, then: str = "") -> Machine:
        tool = self.place / "bin" / name
        tool.write_text(FAKE.format(bash=BASH, name=name, then=then))
        tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
        return self

    def without_tool(self, name: str) -> Machine:
        (self.place / "bin" / name).unlink()
        return self

    def run(self, script: str | Path, *arguments: str) -> subprocess.CompletedProcess:
        environment = {
            "PATH": str(self.place / "bin"),
            "LOG": str(self.place / "log"),
            "PYTHON": str(self.place / "bin" / "python"),
        }
        return subprocess.run(
            [BASH, FUNCTIONS / script, *arguments],
            env=environment,
            cwd=self.place,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def asked(self) -> list[list[str]]:
        """The commands in their order, each as name and arguments."""
        log = self.place / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line.split("\037")[:-1] for line in lines]

    @property
    def deployed(self) -> list[list[str]]:
        """The arguments of each ``nuctl deploy``."""
        return [one[2:] for one in self.asked if one[:2] == ["nuctl", "deploy"]]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """CVAT runs, and nuctl is of its nuclio's version."""
    (tmp_path / "bin").mkdir()
    for name in NEEDED:
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or name)
    return Machine(tmp_path).with_tool("nuctl", NUCTL).with_tool("docker", DOCKER)
