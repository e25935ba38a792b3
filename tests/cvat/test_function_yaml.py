"""A function.yaml that would fail in CVAT or nuclio is refused before that."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cvat_functions import annotation_rules
from cvat_functions.annotation_rules import as_cvat_reads
from cvat_functions.function_file import CPU, GPU, FunctionFile, text_of
from cvat_functions.lint import function_files, main, problems
from cvat_functions.nuclio_rules import HANDLERS
from tests.cvat.function_yamls import ABSENT, GOOD, INSTALL, changed, written

FUNCTIONS = Path(__file__).parents[2] / "cvat_functions"
NOTES, SPEC, BUILD = "metadata/annotations/", "spec/", "spec/build/"
TRIGGER = "spec/triggers/myHttpTrigger/"
ON_GPU = {
    TRIGGER + "numWorkers": 1,
    SPEC + "resources": {"limits": {"nvidia.com/gpu": 1}},
}
DETECTOR = {
    NOTES + "type": "detector",
    NOTES + "spec": '[{"id": 1, "name": "cell", "type": "mask", "attributes": []}]',
    **{
        NOTES + key: ABSENT
        for key in (
            *("min_pos_points", "min_neg_points", "startswith_box_optional"),
            "help_message",
        )
    },
    SPEC + "handler": "napari_iseg.cvat.detection:handler",
    SPEC + "env": [{"name": "ISEG_METHOD", "value": "watershed"}],
}
TRACKER = {
    **DETECTOR,
    NOTES + "type": "tracker",
    NOTES + "spec": "",
    NOTES + "supported_shape_types": "rectangle, mask",
    SPEC + "handler": "napari_iseg.cvat.tracking:handler",
    SPEC + "env": [{"name": "ISEG_METHOD", "value": "cells"}],
}


def directives(*lines: tuple[str, str], stage: str = "preCopy") -> dict[str, Any]:
    """The lines, and the installation after them."""
    listed = [{"kind": kind, "value": value} for kind, value in lines]
    install = [{"kind": "RUN", "value": INSTALL}]
    if stage == "postCopy":
        return {BUILD + "directives": {"postCopy": [*listed, *install]}}
    return {BUILD + "directives": {stage: listed, "postCopy": install}}


def variables(**values: Any) -> dict[str, Any]:
    """The environment, with a method unless one is given."""
    chosen = {"ISEG_METHOD": "random-walk", **values}
    listed = [{"name": name, "value": value} for name, value in chosen.items()]
    return {SPEC + "env": listed}


@pytest.mark.parametrize(
    "path", function_files(), ids=lambda path: "/".join(path.parts[-3:])
)
def test_every_function_here_can_be_deployed(path: Path):
    assert problems(path) == []


def test_there_are_functions_for_clicks_for_all_cells_and_for_tracking():
    kinds = {FunctionFile.read(path).kind for path in function_files()}

    assert kinds == {"interactor", "detector", "tracker"}


@pytest.mark.parametrize("changes", [{}, DETECTOR, TRACKER], ids=["clicks", "all", "t"])
def test_a_yaml_and_nothing_else_is_a_function(tmp_path: Path, changes: dict[str, Any]):
    path = written(tmp_path, changed(changes))

    assert problems(path) == []


def test_a_yaml_for_a_gpu_is_one_too(tmp_path: Path):
    path = written(tmp_path, changed(ON_GPU), GPU)

    assert problems(path) == []


WRONG = {
    # what CVAT reads
    "no type": ({NOTES + "type": ABSENT}, "type is None; CVAT leaves the function out"),
    "another type": ({NOTES + "type": "segmenter"}, "type is 'segmenter'; CVAT leaves"),
    "no name": ({NOTES + "name": ABSENT}, "name is empty; write what CVAT's list"),
    "a typo": (
        {NOTES + "min_positive_points": 1},
        "min_positive_points is none that CVAT reads; did you mean min_pos_points",
    ),
    "not read any more": ({NOTES + "framework": "pytorch"}, "framework is none that"),
    "of another kind": (
        {NOTES + "supported_shape_types": "rectangle"},
        "supported_shape_types means nothing for a interactor; leave it out",
    ),
    "old version": ({NOTES + "version": 1}, "version is 1, for which CVAT says"),
    "no version": ({NOTES + "version": ABSENT}, "version is 1, for which CVAT says"),
    "empty number": (
        {NOTES + "min_neg_points": None},
        "min_neg_points is '', at which CVAT fails and lists no model at all",
    ),
    "no number": (
        {NOTES + "min_pos_points": 1.5},
        "min_pos_points is '1.5', at which CVAT fails",
    ),
    "no clicks taken": (
        {NOTES + "min_neg_points": ABSENT},
        "min_neg_points is -1; CVAT up to 2.59",
    ),
    "false is true": (
        {NOTES + "startswith_box": False},
        "startswith_box is 'false', and CVAT takes every text for true",
    ),
    "empty is false": (
        {NOTES + "startswith_box_optional": None},
        "startswith_box_optional is '', and CVAT takes",
    ),
    "two boxes": ({NOTES + "startswith_box": True}, "both a must and optional"),
    "no box alone": (
        {NOTES + "min_pos_points": 1},
        "min_pos_points is 1, so that CVAT sends no box alone",
    ),
    "no help": ({NOTES + "help_message": ABSENT}, "help_message is empty, and CVAT"),
    "no picture": (
        {NOTES + "animated_gif": "clicks.gif"},
        "animated_gif is 'clicks.gif'; write an address",
    ),
    "labels of clicks": (
        {NOTES + "spec": '[{"name": "cell"}]'},
        "spec is for detectors, got",
    ),
    "old tracker": (
        {**TRACKER, NOTES + "supported_shape_types": ABSENT},
        "supported_shape_types is absent, so that CVAT sends shapes in its old form",
    ),
    "only masks": (
        {**TRACKER, NOTES + "supported_shape_types": "mask"},
        "without rectangle, the only type that CVAT Community tracks",
    ),
    "no shape": (
        {**TRACKER, NOTES + "supported_shape_types": "rectangle,blob"},
        "supported_shape_types has 'blob', no type",
    ),
    "no label": ({**DETECTOR, NOTES + "spec": None}, "spec names no label, got"),
    "no JSON": (
        {**DETECTOR, NOTES + "spec": "[{'name': 'cell'}]"},
        r"spec is \"\[\{'name': 'cell'\}\]\", at which CVAT fails",
    ),
    "no list": (
        {**DETECTOR, NOTES + "spec": '{"name": "cell"}'},
        "spec must be a JSON list of labels, got",
    ),
    "a label twice": (
        {**DETECTOR, NOTES + "spec": '[{"name": "cell"}, {"name": "cell"}]'},
        "the label 'cell' twice; CVAT refuses",
    ),
    "a nameless label": (
        {**DETECTOR, NOTES + "spec": '[{"type": "mask"}]'},
        "label None: it needs a name",
    ),
    "a strange label": (
        {**DETECTOR, NOTES + "spec": '[{"name": "cell", "type": "blob"}]'},
        "label 'cell': no type of CVAT's: 'blob'",
    ),
    "a label with a typo": (
        {**DETECTOR, NOTES + "spec": '[{"name": "cell", "colour": "red"}]'},
        "label 'cell': unknown keys colour",
    ),
    "half an attribute": (
        {
            **DETECTOR,
            NOTES + "spec": '[{"name": "cell", "attributes": [{"name": "old"}]}]',
        },
        "label 'cell': an attribute is without input_type, values",
    ),
    "attributes of another shape": (
        {**DETECTOR, NOTES + "spec": '[{"name": "cell", "attributes": ["old"]}]'},
        "label 'cell': attributes must be a list of mappings",
    ),
    # what nuclio reads
    "capitals": ({"metadata/name": "Cells"}, "metadata.name is 'Cells'; Kubernetes"),
    "a long name": ({"metadata/name": "a" * 64}, "metadata.name is 'aaaa.*Kubernetes"),
    "SAM's name": (
        {"metadata/name": "pth-facebookresearch-sam-vit-h"},
        "which CVAT's browser takes for its own SAM",
    ),
    "no description": (
        {SPEC + "description": ABSENT},
        "spec.description is empty, without which CVAT lists no model at all",
    ),
    "another python": (
        {SPEC + "runtime": "python:3.8"},
        "spec.runtime is 'python:3.8'",
    ),
    "two pythons": (
        {BUILD + "baseImage": "python:3.12-slim"},
        "baseImage is 'python:3.12-slim'; nuclio installs wheels for python:3.11",
    ),
    "no image": ({BUILD + "image": ABSENT}, "spec.build.image is empty"),
    "half a handler": ({SPEC + "handler": "main"}, "'main'; write module:function"),
    "no module": (
        {SPEC + "handler": "no_such_module:handler"},
        "its module cannot be imported: No module named",
    ),
    "no function": (
        {SPEC + "handler": "napari_iseg.cvat.interaction:handle"},
        "there is no function of that name",
    ),
    "the wrong handler": (
        {SPEC + "handler": "napari_iseg.cvat.detection:handler"},
        "napari_iseg.cvat.interaction:handler answers what CVAT asks a interactor",
    ),
    "nothing loads it": (
        {
            NOTES + "type": "reid",
            SPEC + "handler": "napari_iseg.cvat.serving:served",
        },
        "leads to napari_iseg.cvat.serving, where there is no init_context",
    ),
    "no unit": ({SPEC + "eventTimeout": 60}, "eventTimeout is 60; write a number with"),
    "too patient": (
        {SPEC + "eventTimeout": "2m30s"},
        "eventTimeout is '2m30s', but CVAT waits 120 s",
    ),
    "impatient": (
        {SPEC + "readinessTimeoutSeconds": 5},
        "TimeoutSeconds is 5; loading",
    ),
    "no trigger": ({SPEC + "triggers": {}}, "spec.triggers has 0 of kind http"),
    "another trigger": (
        {SPEC + "triggers/cron": {"kind": "cron"}},
        "spec.triggers has 1 of kind http; CVAT calls the function by one",
    ),
    "no worker": ({TRIGGER + "numWorkers": 0}, "numWorkers is 0; write 1 or more"),
    "the old name": ({TRIGGER + "maxWorkers": 2}, "maxWorkers is an old name"),
    "no waiting": (
        {TRIGGER + "workerAvailabilityTimeoutMilliseconds": ABSENT},
        "workerAvailabilityTimeoutMilliseconds is None",
    ),
    "small images": (
        {TRIGGER + "attributes": {}},
        "attributes.maxRequestBodySize is None; images of more than",
    ),
    "gone after a restart": (
        {SPEC + "platform/attributes/restartPolicy": ABSENT},
        "restartPolicy.name is None; write always",
    ),
    "bind": (
        {SPEC + "platform/attributes/mountMode": "bind"},
        "mountMode is 'bind'; write volume",
    ),
    "a GPU for the CPU": (
        {SPEC + "resources": {"limits": {"nvidia.com/gpu": 1}}},
        "function.yaml asks for nvidia.com/gpu",
    ),
    "commands": ({BUILD + "commands": ["ls"]}, "makes nuclio forget spec.build.dir"),
    "a third stage": (
        {BUILD + "directives/midCopy": []},
        "directives.midCopy is none of preCopy, postCopy",
    ),
    "no instruction": (directives(("INSTALL", "torch")), "'INSTALL' is none of ADD,"),
    "nothing run": (directives(("RUN", "")), "a directive RUN is empty"),
    "no such file": (
        directives(("COPY", "handler/weights.safetensors /opt/")),
        "'handler/weights.safetensors' is copied into the image, but is not in",
    ),
    "out of the folder": (directives(("COPY", "../weights /opt/")), "'../weights' is"),
    # what we ask
    "not installed": ({BUILD + "directives": {}}, "installed 0 times; write one RUN"),
    "not pinned": (
        {BUILD + "directives": {"postCopy": [{"kind": "RUN", "value": INSTALL[:-8]}]}},
        "pins no version; write",
    ),
    "no own wheel": (
        {BUILD + "directives": {"preCopy": [{"kind": "RUN", "value": INSTALL}]}},
        "cannot take a wheel of your own; write it in postCopy",
    ),
    "git clone": (
        directives(("RUN", "git clone https://x.org/y")),
        "fetches by git clo",
    ),
    "git+": (directives(("RUN", "pip install git+https://x.org/y")), "fetches by git+"),
    "curl": (
        directives(("RUN", "curl -O https://x.org/y")),
        "fetches by curl what may",
    ),
    "wget": (directives(("RUN", "wget https://x.org/y")), "fetches by wget what may"),
    "ADD": (directives(("ADD", "https://x.org/y /opt/")), "fetches by ADD what may"),
    "a variable's typo": (
        variables(ISEG_SPLIT_COMPONENT=1),
        "'ISEG_SPLIT_COMPONENT', which nothing reads; did you mean ISEG_SPLIT_COMP",
    ),
    "a strange variable": (variables(CELLS=1), "'CELLS', which nothing reads; known: "),
    "a variable twice": (
        {SPEC + "env": [{"name": "ISEG_METHOD", "value": "cells"}] * 2},
        "ISEG_METHOD twice; the last one counts",
    ),
    "no switch": (
        variables(ISEG_FILL_HOLES="maybe"),
        "spec.env: ISEG_FILL_HOLES must be one of 1, true",
    ),
    "no count": (
        variables(ISEG_MIN_AREA=-1),
        "spec.env: ISEG_MIN_AREA must be a whole",
    ),
    "no such method": (
        variables(ISEG_METHOD="random-walks"),
        "'random-walks', no method of the catalogue for a interactor; did you mean",
    ),
    "no method": ({SPEC + "env": ABSENT}, "ISEG_METHOD is '', no method of the catal"),
    "weights of nothing": (
        variables(MODEL_PATH="/opt/nuclio/x.safetensors"),
        "MODEL_PATH is set, but 'random-walk' has no weights",
    ),
    "no device": (variables(ISEG_DEVICE="gpu"), "ISEG_DEVICE is 'gpu', none of auto"),
    "a GPU's device": (variables(ISEG_DEVICE="cuda"), "'cuda' in function.yaml; write"),
    # what must be somewhere
    "no spec": ({"spec": ABSENT}, "spec must be a mapping, got None"),
    "annotations of annotations": (
        {NOTES + "spec": [{"name": "cell"}]},
        "metadata.annotations must be a mapping of plain values, got",
    ),
    "a mapping of variables": (
        {SPEC + "env": {"ISEG_METHOD": "cells"}},
        "spec.env must be a list of name and value, got",
    ),
    "no directives": (
        {BUILD + "directives": "pip install napari-iseg"},
        "spec.build.directives must be preCopy and postCopy with lists",
    ),
    "triggers in a list": (
        {SPEC + "triggers": [{"kind": "http"}]},
        "spec.triggers must be named triggers",
    ),
    "limits in a list": (
        {SPEC + "resources": {"limits": ["nvidia.com/gpu"]}},
        "spec.resources.limits must be a mapping, got",
    ),
}


@pytest.mark.parametrize(("changes", "sentence"), WRONG.values(), ids=WRONG)
def test_one_wrong_thing_is_found_and_named(
    tmp_path: Path, changes: dict[str, Any], sentence: str
):
    path = written(tmp_path, changed(changes))

    found = problems(path)

    assert [one for one in found if re.search(sentence, one)], found


WRONG_ON_GPU = {
    "no GPU": ({SPEC + "resources": {}}, "nvidia.com/gpu is None; write 1"),
    "two models": ({TRIGGER + "numWorkers": 2}, "numWorkers is 2, and each would have"),
    "on the CPU": (variables(ISEG_DEVICE="cpu"), "'cpu' in function-gpu.yaml; write"),
}


@pytest.mark.parametrize(
    ("changes", "sentence"), WRONG_ON_GPU.values(), ids=WRONG_ON_GPU
)
def test_what_is_wrong_for_a_gpu_is_found(
    tmp_path: Path, changes: dict[str, Any], sentence: str
):
    path = written(tmp_path, changed({**ON_GPU, **changes}), GPU)

    (found,) = problems(path)

    assert sentence in found


def test_a_file_that_no_script_looks_for_is_found(tmp_path: Path):
    path = written(tmp_path, GOOD, "functions.yaml")

    (found,) = problems(path)

    assert (
        "called functions.yaml; CVAT's deploy scripts look for function.yaml" in found
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("metadata: [", "cannot be read: it is no YAML: "),
        ("- metadata", "cannot be read: it is no mapping with metadata and spec"),
    ],
)
def test_what_is_no_yaml_is_said_to_be_none(tmp_path: Path, text: str, sentence: str):
    (found,) = problems(written(tmp_path, text))

    assert sentence in found


def test_a_file_that_is_not_there_is_said_not_to_be(tmp_path: Path):
    (found,) = problems(tmp_path / CPU)

    assert "function.yaml cannot be read: " in found


def test_two_functions_of_one_name_would_replace_each_other(tmp_path: Path):
    written(tmp_path, GOOD, folder="first")
    path = written(tmp_path, GOOD, folder="second")

    found = problems(path)

    assert "metadata.name is 'napari-iseg-random-walk', as in first" in found[0]
    assert "spec.build.image is 'cvat.napari-iseg.random-walk', as in first" in found[1]


def test_cpu_and_gpu_are_one_function(tmp_path: Path):
    """Description, device, image, directives and workers differ; what users see not."""
    written(tmp_path, changed({SPEC + "eventTimeout": "30s"}))
    image = {BUILD + "image": "cvat.other", SPEC + "description": "on a GPU"}
    path = written(tmp_path, changed({**ON_GPU, **image}), GPU)

    (found,) = problems(path)

    assert "spec.eventTimeout is '60s', but '30s' in function.yaml" in found


def test_all_functions_install_one_version(tmp_path: Path):
    newer = [{"kind": "RUN", "value": INSTALL.replace("0.1.0", "0.2.0")}]
    other = {"metadata/name": "other", BUILD + "image": "other"}
    path = written(tmp_path, changed(other), folder="other")
    written(tmp_path, changed({BUILD + "directives": {"postCopy": newer}}))

    (found,) = problems(path)

    assert "napari-iseg is 0.1.0 here and 0.2.0 in random-walk" in found


def test_what_nuclio_imports_before_it_connects_is_light():
    """It gives the import of a handler two minutes; torch comes in init_context."""
    code = f"import sys, {', '.join(HANDLERS.values())}; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert HANDLERS["interactor"] in done.stdout.split(), done.stderr
    assert not {"torch", "cv2", "scipy", "skimage", "PIL"} & set(done.stdout.split())


def test_the_pinned_version_is_the_one_that_this_tree_becomes():
    pyproject = (FUNCTIONS.parent / "pyproject.toml").read_text(encoding="utf-8")
    (next_version,) = re.findall(r'fallback-version = "([\d.]+)\.dev0"', pyproject)

    text = (FUNCTIONS / "cells" / "nuclio" / CPU).read_text(encoding="utf-8")

    assert f'"napari-iseg[cvat]=={next_version}"' in text


@pytest.mark.parametrize(
    ("written_as", "arrives_as"),
    [
        ("2", "2"),
        ("2.0", "2"),
        ("0.25", "0.25"),
        ("true", "true"),
        ("no", "false"),
        ("off", "false"),
        ("", ""),
        ("~", ""),
        ("'2'", "2"),
        ("2026-11-21", "2026-11-21"),
        ("'rectangle, mask'", "rectangle, mask"),
    ],
)
def test_every_annotation_arrives_as_text(
    tmp_path: Path, written_as: str, arrives_as: str
):
    """As sigs.k8s.io/yaml reads it into nuclio's map of strings."""
    path = written(tmp_path, f"metadata: {{annotations: {{key: {written_as}}}}}")

    assert FunctionFile.read(path).annotations == {"key": arrives_as}


@given(st.integers() | st.booleans() | st.none() | st.text())
def test_what_arrives_is_read_as_python_reads_text(value):
    """CVAT calls int and bool on text: nothing else decides."""
    text = text_of(value)

    assert as_cvat_reads({"startswith_box": text})["startswith_box"] is bool(text)
    if type(value) is int:
        assert as_cvat_reads({"min_pos_points": text})["min_pos_points"] == value


def places(content: Any, path: str = "") -> list[str]:
    if not isinstance(content, dict) or not content:
        return [path]
    inner = [one for key in content for one in places(content[key], f"{path}/{key}")]
    return [path, *inner] if path else inner


SOMETHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "kind", "value", "x"]), inner)
    ),
    max_leaves=4,
)

LABEL_KEY = st.sampled_from(["name", "type", "attributes", "id", "x"])


@given(st.sampled_from([one[1:] for one in places(GOOD)]), SOMETHING)
def test_whatever_stands_somewhere_there_are_sentences_and_no_exception(
    tmp_path_factory: pytest.TempPathFactory, path: str, value: Any
):
    place = tmp_path_factory.mktemp("functions", numbered=True)

    found = problems(written(place, changed({path: value})))

    assert all(isinstance(one, str) and len(one) > 20 for one in found)


@given(SOMETHING | st.lists(st.dictionaries(LABEL_KEY, SOMETHING), max_size=3))
def test_whatever_the_labels_are_there_is_no_exception(spec: Any):
    annotations = {"type": "detector", "spec": json.dumps(spec)}
    content = {"metadata": {"annotations": annotations}}

    for rule in annotation_rules.RULES:
        assert all(isinstance(one, str) for one in rule(FunctionFile(Path(), content)))


def test_the_command_lists_problems_and_counts_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = written(tmp_path, changed({NOTES + "version": 1}))

    status = main([str(tmp_path)])

    first, last = capsys.readouterr().out.splitlines()
    assert status == 1
    assert first.startswith(f"{path}: annotation version is 1")
    assert last == "1 files, 1 problems"


def test_the_command_says_that_there_is_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main([str(tmp_path)]) == 1
    assert "there is no function.yaml in" in capsys.readouterr().out


def test_the_command_is_content_with_what_is_here(capsys: pytest.CaptureFixture[str]):
    assert main([]) == 0
    assert ", 0 problems" in capsys.readouterr().out


def test_the_good_example_is_what_a_user_would_write(tmp_path: Path):
    """It survives being written and read; so what is changed in it is all that is."""
    path = written(tmp_path, GOOD)

    assert yaml.safe_load(path.read_text()) == GOOD
