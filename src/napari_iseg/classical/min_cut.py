"""The exact minimum of a binary energy on a graph, as a minimum cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

UNIT = 1000  # capacities are integers: thousandths
HARD = 5 * 10**8  # a capacity that no cut can afford, and twice of it fits int32

Numbers = NDArray[np.integer]
Costs = NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """``weight`` is paid where ``first`` and ``second`` have different labels."""

    first: Numbers
    second: Numbers
    weight: Costs


@dataclass(frozen=True, slots=True, eq=False)
class Needs:
    """``child`` can be of the object only if ``parent`` is."""

    child: Numbers
    parent: Numbers


def minimum_cut(
    evidence: Costs, links: Links, needs: Needs | None = None
) -> NDArray[np.bool_]:
    """The labelling of least energy; of several the one with the smallest object.

    Parameters
    ----------
    evidence
        ``(N,)``: what the background label costs more than the object label;
        infinite where a label is given.
    links
        Pairs of nodes, each once, with finite weights >= 0.
    needs
        Pairs with an infinite cost for a child without its parent.

    Returns
    -------
    ``(N,)``, true where the object is. Costs are rounded to thousandths.
    """
    count = evidence.size
    source, sink = count, count + 1
    cost = np.clip(np.rint(evidence * UNIT), -HARD, HARD).astype(np.int32)
    weight = np.rint(links.weight * UNIT).astype(np.int32)
    inside, outside = np.flatnonzero(cost > 0), np.flatnonzero(cost < 0)
    tails = [links.first, links.second, np.full(inside.size, source), outside]
    heads = [links.second, links.first, inside, np.full(outside.size, sink)]
    room = [weight, weight, cost[inside], -cost[outside]]
    if needs is not None:
        tails.append(needs.child)
        heads.append(needs.parent)
        room.append(np.full(needs.child.size, HARD, np.int32))
    capacity = csr_array(
        (np.concatenate(room), (np.concatenate(tails), np.concatenate(heads))),
        (count + 2, count + 2),
    )
    left = capacity - maximum_flow(capacity, source, sink).flow
    left.data[left.data < 0] = 0
    left.eliminate_zeros()
    reached = breadth_first_order(left, source, return_predecessors=False)
    label = np.zeros(count + 2, bool)
    label[reached] = True
    return label[:count]
