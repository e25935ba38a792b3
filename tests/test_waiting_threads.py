"""Workers that share cores leave them to each other."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from napari_iseg.waiting_threads import WAITING, let_others_work

FUNCTIONS = {
    "interaction": "graph-cut",
    "detection": "watershed",
    "tracking": "graph-cut",
}
STARTED = """
import logging, os, sys
from nuclio_sdk import Context
from nuclio_sdk.logger import Logger
from napari_iseg.cvat import {name} as function
assert "torch" not in sys.modules
class UserData: pass
context = Context(Logger(logging.CRITICAL))
context.user_data = UserData()
function.init_context(context)
print(os.environ["{variable}"])
"""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_worker_s_idle_threads_sleep_and_torch_was_not_there_before(name: str):
    environment = {**os.environ, "ISEG_METHOD": FUNCTIONS[name]}
    environment.pop(WAITING, None)

    done = subprocess.run(
        [sys.executable, "-c", STARTED.format(name=name, variable=WAITING)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )

    assert done.stdout.split() == ["PASSIVE"], done.stderr


def test_who_deploys_has_the_last_word():
    environment = {WAITING: "ACTIVE"}

    let_others_work(environment)

    assert environment == {WAITING: "ACTIVE"}
