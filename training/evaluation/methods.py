"""Which method is measured: its name, its weights, its settings, built on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import napari_iseg
from napari_iseg import ENTRIES
from napari_iseg.polished import MARK, is_polished, unpolished
from napari_iseg.segmenter import Segmenter
from napari_iseg.weights import sha256_of

if TYPE_CHECKING:
    from napari_iseg.refine.windowed import Windowed

ORACLE = " (oracle)"  # after a method's name: the truth chooses among its hypotheses
CLASSICAL = "napari_iseg.classical"
POLISH = "polish."  # before the name of a setting of ``refine.polish.Polish``
SEPARATED = "separated."  # ... of ``refine.separated.Separated``
BRS = "brs."  # before the name of a setting of ``refine.brs.BRS``
NET = "net."  # before the name of a setting of a paper's network: ``PaperModel``

S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method as it is asked for; small enough to be sent to another machine.

    Attributes
    ----------
    name
        A name of the catalogue, or ``"module:function"`` of a builder that is called
        as those of the catalogue are: ``function(device=..., weights=path or None)``.
    weights
        A file to use instead of the weights that come with the method.
    device
        "auto", "cpu", "cuda" or "mps".
    policy
        "NAME=VALUE" of the window policy (``refine.windowed.Policy``), or
        "polish.NAME=VALUE" of a polished method (``refine.polish.Polish``), or
        "brs.NAME=VALUE" of ``refine.brs.BRS``, which any method by windows gets by it,
        or "separated.NAME=VALUE" of ``refine.separated.Separated`` (unet-brs),
        or "net.NAME=VALUE" of a paper's network that can be asked in several ways.
    is_oracle
        Whether the hypothesis with the best true IoU is taken, not the first.
    """

    name: str
    weights: Path | None = None
    device: str = "auto"
    policy: tuple[str, ...] = ()
    is_oracle: bool = False

    @property
    def title(self) -> str:
        """What result files and tables call it."""
        return " ".join([self.name, *self.policy]) + ORACLE * self.is_oracle

    @property
    def weights_mark(self) -> str:
        """The first twelve digits of the sha256 of its weights; "" without weights."""
        if self.weights is not None:
            return sha256_of(self.weights)[:12]
        name = unpolished(self.name)
        card = ENTRIES[name].weights_card() if name in ENTRIES else None
        return "" if card is None else card.sha256[:12]

    def build(self) -> Segmenter:
        """The segmenter.

        Raises
        ------
        ValueError
            If there is no such method, weights, device or policy.
        """
        segmenter = built(self)
        return with_policy(segmenter, self.name, self.policy)


def built(method: Method) -> Segmenter:
    if ":" not in method.name:
        return napari_iseg.load_segmenter(
            method.name, device=method.device, weights=method.weights
        )
    name = unpolished(method.name)
    segmenter = builder(name)(device=method.device, weights=method.weights)
    if is_polished(method.name):
        from napari_iseg.refine.polish import Polished

        return Polished(segmenter)
    return segmenter


def builder(path: str) -> Callable[..., Segmenter]:
    """The function that ``"module:function"`` names; ValueError if there is none."""
    module, _, name = path.partition(":")
    try:
        function: Callable[..., Segmenter] = getattr(import_module(module), name)
    except (ImportError, AttributeError) as problem:
        raise ValueError(f"no method is at {path!r}: {problem}") from problem
    return function


def method_of(text: str, options: Method | None = None) -> Method:
    """The method that a table calls ``text``: 'cells', 'cells zoom=1.7 (oracle)'.

    ``options`` gives weights and device, and a policy if ``text`` has none.
    """
    options = options or Method(name="")
    name, *policy = text.removesuffix(ORACLE).split()
    return replace(
        options,
        name=name,
        policy=tuple(policy) or options.policy,
        is_oracle=text.endswith(ORACLE),
    )


def is_classical(title: str) -> bool:
    """Whether a table's method is one of the catalogue that learnt nothing."""
    entry = ENTRIES.get(title)
    return entry is not None and entry.build.startswith(CLASSICAL)


def with_policy(
    segmenter: Segmenter, method: str, assignments: Sequence[str]
) -> Segmenter:
    """The segmenter with another policy, polish or BRS; ValueError if it has none."""
    if not assignments:
        return segmenter
    from napari_iseg.refine import brs
    from napari_iseg.refine.polish import Polished
    from napari_iseg.refine.separated import Separated
    from napari_iseg.refine.windowed import Windowed

    of_polish = [one for one in assignments if one.startswith(POLISH)]
    others = [one for one in assignments if one not in of_polish]
    if isinstance(segmenter, Polished):
        below = with_policy(segmenter.segmenter, method, others)
        polish = with_settings(segmenter.polish, of_polish)
        return replace(segmenter, segmenter=below, polish=polish)
    if of_polish:
        message = f"'{method}' is not polished: {of_polish[0]} is for '{method}{MARK}'"
        raise ValueError(message)
    if isinstance(segmenter, Separated):
        of_cells = [one for one in others if one.startswith(SEPARATED)]
        of_rest = [one for one in others if one not in of_cells]
        inner = with_policy(segmenter.segmenter, method, of_rest)
        assert isinstance(inner, brs.BRS)  # as it was
        return with_settings(replace(segmenter, segmenter=inner), of_cells)
    of_brs = [one for one in others if one.startswith(BRS)]
    of_windows = [one for one in others if one not in of_brs]
    if isinstance(segmenter, brs.BRS):
        inner = by_windows(segmenter.segmenter, method, of_windows)
        return with_settings(replace(segmenter, segmenter=inner), of_brs)
    if not isinstance(segmenter, Windowed):
        message = f"'{method}' does not work by windows: it has no --policy"
        raise ValueError(message)  # noqa: TRY004 - the caller's mistake, answered as one
    changed = by_windows(segmenter, method, of_windows)
    return with_settings(brs.BRS(changed), of_brs) if of_brs else changed


def by_windows(
    segmenter: Windowed, method: str, assignments: Sequence[str]
) -> Windowed:
    """With another policy and, by "net.NAME=VALUE", its network asked another way."""
    of_net = [one for one in assignments if one.startswith(NET)]
    others = [one for one in assignments if one not in of_net]
    changed = replace(segmenter, policy=with_settings(segmenter.policy, others))
    if not of_net:
        return changed
    from napari_iseg.nets.papers.paper_model import PaperModel

    if not isinstance(changed.model, PaperModel):
        message = f"'{method}' is no paper's network: there is nothing for {of_net[0]}"
        raise ValueError(message)  # noqa: TRY004 - the caller's mistake, answered as one
    pairs = (one.removeprefix(NET).partition("=") for one in of_net)
    settings = {name: text.strip("'\"") for name, _, text in pairs}
    return replace(changed, model=changed.model.with_settings(**settings))


def with_settings(settings: S, assignments: Sequence[str]) -> S:
    """Settings with "NAME=VALUE" of them changed, whatever they are a part of."""
    from training.recipe import changed

    for assignment in assignments:
        own = assignment.removeprefix(POLISH).removeprefix(BRS)
        own = own.removeprefix(SEPARATED)
        name, _, text = own.partition("=")
        settings = changed(settings, name, text)
    return settings


def checked(methods: Sequence[Method]) -> Mapping[str, Method]:
    """Title -> method, each tried out.

    Raises
    ------
    ValueError
        If one cannot be built or is there twice.
    """
    by_title: dict[str, Method] = {}
    for method in methods:
        if method.title in by_title:
            raise ValueError(f"the method '{method.title}' is asked for twice")
        method.build()
        by_title[method.title] = method
    return by_title
