"""Whether CVAT lists, nuclio builds and napari-iseg answers what a function.yaml says.

``python -m cvat_functions.lint [FOLDER OR FILE ...]``; all functions if none is named.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from cvat_functions import annotation_rules, nuclio_rules, package_rules
from cvat_functions.function_file import FunctionFile, misshapen

HERE = Path(__file__).parent
STAGES = (  # the next is asked only if this one has nothing to say
    (misshapen,),
    annotation_rules.FIRST,
    (*annotation_rules.RULES, *nuclio_rules.RULES, *package_rules.RULES),
)


def problems(path: Path) -> list[str]:
    """What is wrong with the function.yaml at ``path``, in sentences; best, nothing.

    Neither docker nor a network is used. Each sentence names what is wrong, its value
    and what to write instead.
    """
    try:
        file = FunctionFile.read(path)
    except (OSError, ValueError) as problem:
        return [f"{path.name} cannot be read: {problem}"]
    for rules in STAGES:
        if found := [sentence for rule in rules for sentence in rule(file)]:
            return found
    return []


def function_files(place: Path = HERE) -> list[Path]:
    """Every function.yaml and function-gpu.yaml at or below ``place``."""
    return [place] if place.is_file() else sorted(place.rglob("function*.yaml"))


def main(arguments: Sequence[str]) -> int:
    """Print problems; 0 if there are none."""
    places = [Path(one) for one in arguments] or [HERE]
    files = [file for place in places for file in function_files(place)]
    if not files:
        print(f"there is no function.yaml in {', '.join(map(str, places))}")
        return 1
    found = [(file, sentence) for file in files for sentence in problems(file)]
    for file, sentence in found:
        print(f"{file}: {sentence}")
    print(f"{len(files)} files, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
