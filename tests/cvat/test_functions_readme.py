"""The page for those who run CVAT says what the code says."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from cvat_functions.function_file import CPU, GPU, FunctionFile
from cvat_functions.lint import function_files
from napari_iseg.cvat import problems
from napari_iseg.cvat.settings import VARIABLES, Settings
from tests.cvat.fake_machine import Machine, machine

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "cvat_functions" / "README.md").read_text(encoding="utf-8")
CODE = ROOT / "src" / "napari_iseg" / "cvat"

__all__ = ["machine"]  # a fixture


def between(name: str) -> str:
    return PAGE.split(f"<!-- {name}:begin -->\n")[1].split(f"<!-- {name}:end -->")[0]


def rows(name: str) -> list[list[str]]:
    """The cells of a table's lines, without its head."""
    lines = [line for line in between(name).splitlines() if line.startswith("|")]
    return [[one.strip() for one in line.strip("|").split("|")] for line in lines[2:]]


def test_every_function_is_listed_with_its_type_and_machines():
    listed = {
        folder.strip("`"): (kind, what) for folder, kind, what in rows("functions")
    }

    files = {path.parts[-3]: path for path in function_files() if path.name == CPU}
    assert listed.keys() == files.keys()
    for folder, path in files.items():
        kind, what = listed[folder]
        assert kind == FunctionFile.read(path).kind
        assert ("CPU or GPU" in what) == path.with_name(GPU).exists()


def test_every_setting_is_listed_with_its_default():
    listed = {variable.strip("`"): default for variable, default, _ in rows("settings")}

    defaults = {VARIABLES[name]: getattr(Settings(), name) for name in VARIABLES}
    shown = {
        variable: ""
        if value is None
        else f"`{int(value)}`"
        if isinstance(value, bool)
        else f"`{value}`"
        for variable, value in defaults.items()
    }
    assert listed == shown


@pytest.mark.parametrize("row", rows("settings"), ids=lambda row: row[0])
def test_a_listed_default_is_what_the_variable_would_be_set_to(row: list[str]):
    variable, default = row[0].strip("`"), row[1].strip("`")

    assert Settings.read({variable: default}) == Settings()


def refusals() -> Iterator[str]:
    """Each message of a refused request, "…" for what differs from time to time."""
    kinds = {name for name in vars(problems) if name.endswith("RequestError")}
    for path in sorted(CODE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            raised = node.exc if isinstance(node, ast.Raise) else None
            if isinstance(raised, ast.Call) and ast.unparse(raised.func) in kinds:
                yield template(raised.args[0])


def template(message: ast.expr) -> str:
    if isinstance(message, ast.Constant):
        return str(message.value)
    assert isinstance(message, ast.JoinedStr), ast.unparse(message)
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else "…"
        for part in message.values
    )


def test_every_reason_for_a_refusal_is_explained_and_no_other():
    explained = [
        one for row in rows("messages") for one in re.findall("`(.*?)`", row[0])
    ]

    assert sorted(explained) == sorted(set(refusals()))


def test_every_status_that_a_function_answers_is_explained():
    kinds = [one for one in vars(problems).values() if isinstance(one, type)]
    statuses = {one.status for one in kinds if issubclass(one, problems.RequestError)}

    for status in {*statuses, 500}:
        assert re.search(rf"^\| `{status} (Client|Server) Error", PAGE, re.M), status


def commands(first: str) -> list[str]:
    blocks = re.findall(r"```bash\n(.*?)```", PAGE, re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith(first)]


@pytest.mark.parametrize("line", commands("./deploy"))
def test_a_line_to_deploy_with_can_be_typed(machine: Machine, line: str):
    """But for the wheel, which takes a network."""
    script, *arguments = line.removeprefix("./").split()

    done = machine.run(script, *(one for one in arguments if one != "--build-wheel"))

    assert done.returncode == 0, done.stderr
    (deployed,) = machine.deployed
    assert any("cells/nuclio/function.yaml" in one for one in deployed)


def test_the_names_in_the_lines_for_no_network_are_those_of_the_function():
    cells = FunctionFile.read(ROOT / "cvat_functions" / "cells" / "nuclio" / CPU)

    (build,) = commands("nuctl build")
    (save,) = commands("docker save")

    assert build.split()[2] == cells.at("metadata", "name")
    assert save.split()[2] == cells.at("spec", "build", "image")


@pytest.mark.parametrize("line", commands("cvat-cli"))
def test_cvat_cli_finds_the_modules(line: str):
    assert entry_points(group="console_scripts", name="cvat-cli")

    module = import_module(line.rsplit(maxsplit=1)[-1])

    assert callable(module.create)


def test_agents_need_the_version_that_the_package_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = project["project"]["optional-dependencies"]["cvat"]

    (least,) = re.findall(r"cvat-sdk\[masks\] >=([\d.]+)", " ".join(asked))

    assert f"| from {least} | native functions" in PAGE
