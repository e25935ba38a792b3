"""``python -m napari_iseg.teaching FOLDER``: one course in a process of its own.

The plugin starts it: a network that learns must not share a process with a window. The
window would wait, and torch's optimisers bring a compiler that does not get along with
some OpenGL drivers. One line of JSON for each piece of news; ending the process cancels
the course, and nothing is left of it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari_iseg.teaching.course import Course, News, Outcome, taught
from napari_iseg.teaching.learning import Pace
from napari_iseg.teaching.lesson import lesson_of
from napari_iseg.teaching.lesson_files import read_lesson

BAD_INPUT = 2


def main(arguments: Sequence[str]) -> int:
    """Teach what the folder holds; 2 after one line that says why it cannot be done."""
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))  # one is the window's
    try:
        outcome = course_in(Path(arguments[0]))
    except (ValueError, OSError) as problem:
        say(problem=" ".join(str(problem).split()))
        return BAD_INPUT
    method = None if outcome.path is None else outcome.path.stem
    say(method=method, sentence=outcome.sentence())
    return 0


def course_in(folder: Path) -> Outcome:
    """Teach what ``write_lesson`` wrote there."""
    planes, settings = read_lesson(folder)
    steps = settings.pop("steps", Pace().steps)
    course = Course(**settings, pace=Pace(steps=steps))
    return taught(course, lesson_of(planes), tell)


def tell(news: News) -> None:
    """One line: how far it is."""
    say(stage=news.stage, done=news.done, total=news.total)


def say(**news: Any) -> None:
    """One line of JSON, at once."""
    sys.stdout.write(json.dumps(news) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
