"""The deploy scripts, with a nuctl and a docker that only write down what is asked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cvat_functions.function_file import CPU, GPU, FunctionFile
from cvat_functions.lint import function_files
from cvat_functions.package_rules import WHEELS
from tests.cvat.fake_machine import (
    BASH,
    DOCKER,
    FUNCTIONS,
    NUCLIO,
    NUCTL,
    Machine,
    machine,
)
from tests.cvat.function_yamls import GOOD, INSTALL, changed, written

__all__ = ["machine"]  # a fixture

LOCAL = ["--platform", "local"]
NETWORK = ["--platform-config", '{"attributes": {"network": "cvat_cvat"}}']


@pytest.mark.parametrize(("script", "file"), [("cpu", CPU), ("gpu", GPU)])
def test_every_function_is_deployed_as_cvats_own_scripts_do(
    machine: Machine, script: str, file: str
):
    """Project, path, file, platform and network are those of CVAT's deploy scripts."""
    done = machine.run(f"deploy_{script}.sh")

    assert done.returncode == 0, done.stderr
    assert machine.deployed == [
        [
            *("--project-name", "cvat", "--file", str(path)),
            *("--path", str(path.parent), *LOCAL, *NETWORK),
        ]
        for path in sorted(function_files(), key=str)
        if path.name == file
    ]
    assert ["nuctl", "create", "project", "cvat", *LOCAL] in machine.asked
    assert machine.asked[-1] == ["nuctl", "get", "function", *LOCAL]


def test_cvats_scripts_find_the_folders_and_no_image_to_build_before():
    """They take every function.yaml below a folder and build a Dockerfile beside."""
    found = sorted(FUNCTIONS.glob("**/function.yaml"))

    assert found == [path for path in function_files() if path.name == CPU]
    assert len(found) == len({path.parent for path in function_files()})
    assert not list(FUNCTIONS.glob("**/Dockerfile"))


@pytest.mark.skipif("CVAT_SRC" not in os.environ, reason="CVAT_SRC names no CVAT")
@pytest.mark.parametrize(("script", "file"), [("cpu", CPU), ("gpu", GPU)])
def test_cvats_own_scripts_deploy_every_function(
    machine: Machine, script: str, file: str
):
    serverless = Path(os.environ["CVAT_SRC"]) / "serverless"
    (machine.place / "bin" / "realpath").symlink_to(str(shutil.which("realpath")))

    done = machine.run(serverless / f"deploy_{script}.sh", str(FUNCTIONS))

    assert done.returncode == 0, done.stderr
    deployed = [one[one.index("--file") + 1] for one in machine.deployed]
    assert set(deployed) == {str(it) for it in function_files() if it.name == file}


def test_one_folder_is_deployed_with_settings_of_ones_own(machine: Machine):
    settings = ["--env", "ISEG_HYPOTHESES=3", "--env", "CVAT_RESPONSE_FORMAT=mask"]

    done = machine.run("deploy_cpu.sh", "cells", *settings, "--network", "other")

    (arguments,) = machine.deployed
    assert done.returncode == 0
    assert str(FUNCTIONS / "cells" / "nuclio" / CPU) in arguments
    assert arguments[-4:] == settings
    assert '{"attributes": {"network": "other"}}' in arguments


def test_a_folder_elsewhere_is_deployed_too(machine: Machine):
    path = written(machine.place / "with space", GOOD)

    done = machine.run("deploy_cpu.sh", "with space")

    assert done.returncode == 0, done.stderr
    (arguments,) = machine.deployed
    assert str(path.relative_to(machine.place)) in arguments


def test_a_cluster_gets_the_image_by_its_registry(machine: Machine):
    """In the namespace that CVAT asks; no docker network, no dashboard is needed."""
    machine.with_tool("docker", '[ "$1" = ps ]')
    where = ["--platform", "kube", "--namespace", "cvat"]

    done = machine.run(
        *("deploy_cpu.sh", "--kubernetes", "registry.example.org/cvat"),
        *("--namespace", "cvat", "--replicas", "3", "cells"),
    )

    (arguments,) = machine.deployed
    assert done.returncode == 0, done.stderr
    assert arguments[6:] == [
        *where,
        *("--registry", "registry.example.org/cvat"),
        *("--run-registry", "registry.example.org/cvat"),
        *("--replicas", "3"),
    ]
    assert ["nuctl", "get", "function", *where] in machine.asked


def test_without_a_network_the_image_that_is_there_is_deployed(machine: Machine):
    done = machine.run("deploy_gpu.sh", "--built", "cells")

    (arguments,) = machine.deployed
    assert done.returncode == 0, done.stderr
    assert arguments[0] == "pth-napari-iseg-cells"
    assert "--path" not in arguments
    image = arguments[arguments.index("--run-image") + 1]
    assert image == "cvat.pth.napari-iseg.cells:latest-gpu"
    assert ["docker", "image", "inspect", image] in machine.asked


def test_a_project_that_is_there_already_is_no_problem(machine: Machine):
    machine.with_tool("nuctl", NUCTL + '[ "$1" != create ]')

    assert machine.run("deploy_cpu.sh", "cells").returncode == 0
    assert len(machine.deployed) == 1


ARGUMENTS = [
    ([], "the first argument is ''; write cpu or gpu"),
    (["both"], "the first argument is 'both'; write cpu or gpu"),
    (["cpu", "--env"], "--env needs a value; see deploy.sh --help"),
    (["cpu", "--gpus"], "there is no option --gpus; see deploy.sh --help"),
    (["cpu", "--replicas", "2"], "--namespace and --replicas are for --kubernetes"),
    (["cpu", "--kubernetes", "r"], "--kubernetes needs --namespace, the one that CVAT"),
    (
        ["cpu", "--kubernetes", "r", "--namespace", "cvat", "--built"],
        "--built is for images on this machine, --kubernetes for those of a registry",
    ),
    (["cpu", "no-such"], "there is no folder "),
    (["gpu", "watershed"], "there is no function-gpu.yaml in watershed"),
]


@pytest.mark.parametrize(("arguments", "message"), ARGUMENTS)
def test_nothing_is_deployed_by_arguments_that_mean_nothing(
    machine: Machine, arguments: list[str], message: str
):
    done = machine.run("deploy.sh", *arguments)

    assert done.returncode == 1
    assert message in done.stderr
    assert machine.asked == []


LACKING = {
    "no nuctl": (
        lambda it: it.without_tool("nuctl"),
        "nuctl is missing; take the vers",
    ),
    "no docker": (
        lambda it: it.without_tool("docker"),
        "docker is missing; install it",
    ),
    "no daemon": (
        lambda it: it.with_tool("docker", "exit 1"),
        "docker does not answer; is it running, may you use it?",
    ),
    "no network": (
        lambda it: it.with_tool("docker", '[ "$1" != network ]'),
        "there is no docker network cvat_cvat; start CVAT, or name its network",
    ),
    "no nuclio": (
        lambda it: it.with_tool("docker", "exit 0"),
        "CVAT's nuclio dashboard does not run; start CVAT with components/serverless",
    ),
    "another nuctl": (
        lambda it: it.with_tool("nuctl", NUCTL.replace(NUCLIO, "1.13.0")),
        "nuctl is 1.13.0, CVAT's nuclio 1.16.3; take nuctl 1.16.3 from https",
    ),
    "a nuctl without a version": (
        lambda it: it.with_tool("nuctl"),
        "nuctl is of an unknown version, CVAT's nuclio 1.16.3; take nuctl 1.16.3",
    ),
    "no project": (
        lambda it: it.with_tool("nuctl", NUCTL + '[ "$1" = version ]'),
        "nuctl can neither make nor find the project cvat",
    ),
}


@pytest.mark.parametrize(("change", "message"), LACKING.values(), ids=LACKING)
def test_what_the_machine_lacks_is_said_before_anything_is_built(
    machine: Machine, change, message: str
):
    change(machine)

    done = machine.run("deploy_cpu.sh", "cells")

    assert done.returncode == 1
    assert message in done.stderr
    assert machine.deployed == []


def test_whoever_knows_better_leaves_the_comparison_of_versions_out(machine: Machine):
    machine.with_tool("nuctl", NUCTL.replace(NUCLIO, "1.13.0"))

    assert machine.run("deploy_cpu.sh", "cells", "--any-version").returncode == 0
    assert len(machine.deployed) == 1


def test_a_failed_deployment_ends_the_script_with_what_to_try(machine: Machine):
    machine.with_tool("nuctl", NUCTL + '[ "$1" != deploy ]')

    done = machine.run("deploy_cpu.sh")

    assert done.returncode == 1
    assert "nuctl could not deploy pth-napari-iseg-brs" in done.stderr  # the first one
    assert "add --build-wheel" in done.stderr
    assert len(machine.deployed) == 1


def test_an_image_that_is_not_there_cannot_be_deployed(machine: Machine):
    machine.with_tool("docker", DOCKER + '[ "$1" != image ]')

    done = machine.run("deploy_cpu.sh", "--built", "cells")

    assert done.returncode == 1
    assert "there is no image cvat.pth.napari-iseg.cells on this machine" in done.stderr
    assert machine.deployed == []


# A pip that makes an empty file of the name that it is told.
PIP = """
while [ "$1" != --wheel-dir ]; do shift; done
: >"$2/napari_iseg-$SETUPTOOLS_SCM_PRETEND_VERSION-py3-none-any.whl"
"""


def test_a_wheel_of_this_checkout_goes_beside_the_yaml(machine: Machine):
    machine.with_tool("python", PIP)
    path = written(machine.place, GOOD)
    old = path.parent / "wheels" / "napari_iseg-0.0.9-py3-none-any.whl"
    old.parent.mkdir()
    old.touch()

    done = machine.run("deploy_cpu.sh", "--build-wheel", "random-walk")

    (wheel,) = old.parent.iterdir()
    assert done.returncode == 0, done.stderr
    assert (
        wheel.name == "napari_iseg-0.1.0+local-py3-none-any.whl"
    )  # no git on the PATH
    steps = [" ".join(one[:2]) for one in machine.asked]
    assert steps.index("python -m") < steps.index("nuctl deploy")
    assert len(machine.deployed) == 1


def test_the_wheel_tells_its_commit(machine: Machine):
    git = 'case "$3" in rev-parse) echo 1234567 ;; status) echo "$CHANGED" ;; esac'
    machine.with_tool("python", PIP).with_tool("git", git)
    path = written(machine.place, GOOD)

    done = machine.run("build_wheel.sh", str(path.parent))

    (wheel,) = (path.parent / "wheels").iterdir()
    assert done.returncode == 0, done.stderr
    assert wheel.name == "napari_iseg-0.1.0+g1234567-py3-none-any.whl"


UNBUILT = {
    "no function": (PIP, None, "there is no function.yaml in "),
    "no pip": ("exit 1", GOOD, "pip could not build napari-iseg 0.1.0+local; its last"),
    "another version": (
        PIP.replace("$SETUPTOOLS_SCM_PRETEND_VERSION", "0.1.0.dev7"),
        GOOD,
        "pip was to build napari-iseg 0.1.0+local, and built napari_iseg-0.1.0.dev7",
    ),
    "no version": (
        PIP,
        changed({"spec/build/directives": {}}),
        "must install one version of napari-iseg, found: none",
    ),
}


@pytest.mark.parametrize(("pip", "content", "message"), UNBUILT.values(), ids=UNBUILT)
def test_a_wheel_that_cannot_be_built_is_said_to_be_none(
    machine: Machine, pip: str, content, message: str
):
    machine.with_tool("python", pip)
    folder = machine.place / "random-walk" / "nuclio"
    if content is not None:
        written(machine.place, content)

    done = machine.run("build_wheel.sh", str(folder))

    assert done.returncode == 1
    assert message in done.stderr
    assert not (folder / "wheels").exists()


def test_pip_takes_such_a_wheel_for_the_pinned_version(tmp_path: Path):
    """The line of the yaml, with the folder's place on this machine and no index."""
    name = "napari_iseg-0.1.0+g1234567"
    with zipfile.ZipFile(tmp_path / f"{name}-py3-none-any.whl", "w") as wheel:
        info = f"{name}.dist-info"
        about = "Metadata-Version: 2.1\nName: napari-iseg\nVersion: 0.1.0+g1234567\n"
        wheel.writestr(f"{info}/METADATA", f"{about}Provides-Extra: cvat\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    line = INSTALL.replace(WHEELS, f'"{tmp_path}"').replace("pip", "-m pip", 1)
    offline = f"--dry-run --no-index --no-deps --target '{tmp_path}/new'"

    done = subprocess.run(
        [BASH, "-c", f'"{sys.executable}" {line} {offline}'],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "Would install napari-iseg-0.1.0+g1234567" in done.stdout


def test_every_yaml_installs_as_the_example_does():
    for path in function_files():
        lines = [one.value for one in FunctionFile.read(path).instructions()]
        assert INSTALL in lines


@pytest.mark.parametrize(
    "script", sorted(FUNCTIONS.glob("*.sh")), ids=lambda it: it.name
)
def test_the_scripts_can_be_started(script: Path):
    assert os.access(script, os.X_OK)
    assert subprocess.run([BASH, "-n", script], check=False).returncode == 0


def test_the_help_names_every_option(machine: Machine):
    done = machine.run("deploy.sh", "--help")

    code = (FUNCTIONS / "deploy.sh").read_text()
    options = {word for word in code.replace(")", " ").split() if word.startswith("--")}
    ours = options & {
        *("--build-wheel", "--built", "--any-version", "--env", "--network"),
        *("--kubernetes", "--namespace", "--replicas"),
    }
    assert done.returncode == 0
    assert len(ours) == 8
    assert all(option in done.stdout for option in ours)
