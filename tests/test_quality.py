"""The tools that read the code find nothing to complain about."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = [ROOT / "src", ROOT / "training", ROOT / "cvat_functions"]
# Each is a module called main: mypy takes them one by one.
MAINS = [
    f"mypy {one.relative_to(ROOT)}" for one in ROOT.glob("cvat_functions/*/nuclio/*.py")
]
TOOLS = [
    "ruff check .",
    "ruff format --check .",
    "mypy",
    *sorted(MAINS),
    "lint-imports",
    "codespell",
    "pre-commit validate-config",
]


@pytest.mark.slow
@pytest.mark.parametrize("command", TOOLS)
def test_the_tool_is_content(command: str):
    name, *arguments = command.split()
    tool = Path(sys.executable).with_name(name)

    answer = subprocess.run(
        [tool, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 0, f"{command}\n{answer.stdout}{answer.stderr}"


def test_no_function_is_longer_than_sixty_lines():
    files = [path for folder in OURS for path in folder.rglob("*.py")]

    long = [line for path in files for line in _long_functions(path, limit=60)]

    assert files
    assert not long, "split these:\n" + "\n".join(long)


def _long_functions(path: Path, limit: int) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}, {lines} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > limit
    ]
