"""Out of memory, said in a sentence that names the settings that help."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from training.recipe import Recipe

SIGNS = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc")
KILLED = ("DataLoader worker", "killed by signal")


@contextmanager
def told(recipe: Recipe, workers: int) -> Iterator[None]:
    """Out of memory inside becomes a ValueError that says what to set.

    So does a worker process that the system ended, most often for its memory.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as problem:
        if is_out_of_memory(problem):
            raise ValueError(sentence(recipe, problem)) from problem
        if all(sign in str(problem) for sign in KILLED):
            raise ValueError(
                f"the system ended one of {workers} loading processes, most often "
                f"because memory ran out; set --workers {max(0, workers - 1)} and "
                "--resume"
            ) from problem
        raise


def is_out_of_memory(problem: BaseException) -> bool:
    if isinstance(problem, (MemoryError, torch.OutOfMemoryError)):
        return True
    return any(sign in str(problem).lower() for sign in SIGNS)


def sentence(recipe: Recipe, problem: BaseException) -> str:
    said = (str(problem).splitlines() or ["MemoryError"])[0]
    more = next_divisor(recipe.batch, recipe.accumulate)
    remedy = (
        f"--set accumulate={more} (the same batch in smaller parts)"
        if more
        else f"--set samples.side={max(16, recipe.samples.side // 32 * 16)}"
    )
    return (
        f"out of memory with batch={recipe.batch}, accumulate={recipe.accumulate}, "
        f"samples.side={recipe.samples.side}, width={recipe.width}: {said}; go on with "
        f"{remedy} and --resume"
    )


def next_divisor(batch: int, accumulate: int) -> int | None:
    """The next larger number of equal parts; None if a part is a single sample."""
    larger = (n for n in range(accumulate + 1, batch + 1) if batch % n == 0)
    return next(larger, None)
