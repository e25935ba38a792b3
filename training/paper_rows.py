"""What each paper claims, as rows of an ablation; the paper's direction beside them."""

from __future__ import annotations

from collections.abc import Mapping

from training.ablation_rows import Row

CHOOSING = ("selects=True", "stages=(0.6, 0.4)", "rates=(0.001, 0.001)")

LATENT_DIVERSITY: Mapping[str, Row] = {
    "all": Row(
        idea="nothing; masks are ranked (eq. 7), as in the released code",
        paper="6.13 clicks to 85 % on DAVIS (table 2)",
    ),
    "diversity": Row(
        idea="several masks: one",
        settings=("masks=1",),
        paper="worse: 7.26 for 5.95",
    ),
    "soft": Row(
        idea="soft constraints of the clicks (eq. 4)",
        settings=("soft=0.0",),
        paper="worse: 6.32 for 5.95",
    ),
    "distances": Row(
        idea="distance transforms: clicked pixels alone",
        settings=("limit=1.0",),
        paper="worse: 9.11 for 5.95",
    ),
    "bound": Row(
        idea="our loss, the released code's: as written, clicks bind the best mask",
        settings=("released=False",),
        paper="is the paper's; not measured alone",
    ),
    "ranked": Row(
        idea="our choice, the ranks: a network g selects, learning in the last 40 %",
        settings=CHOOSING,
        paper="slightly better: 5.95",
    ),
    "shuffled": Row(
        idea="g's masks in an order by lot: in their own",
        settings=(*CHOOSING, "shuffled=False"),
        against="ranked",
        paper="is the paper's; not measured alone",
    ),
}

RIS_NET: Mapping[str, Row] = {
    "all": Row(
        idea="nothing; logits of regions are averaged",
        paper="6.03 clicks to 90 % on Berkeley (table 2)",
    ),
    "max": Row(
        idea="our fusion: the maximum, trained by eq. 2, as written",
        settings=("fusion='max'",),
        paper="is the paper's; no other was tried",
    ),
    "discount": Row(
        idea="the discount of regions",
        settings=("discount=1.0",),
        paper="slightly worse: 6.22",
    ),
    "context": Row(
        idea="context beside a region's features",
        settings=("context=False",),
        paper="not measured alone",
    ),
    "local": Row(
        idea="the local branch",
        settings=("local=False",),
        paper="worse: 6.97 for 6.22",
    ),
    "whole": Row(
        idea="context, too: the plain network",
        settings=("local=False", "context=False"),
        against="local",
        paper="worse: 7.60 for 6.97",
    ),
}

FCTSFN: Mapping[str, Row] = {
    "all": Row(idea="nothing", paper="4.58 clicks to 85 % on VOC (table 2)"),
    "refining": Row(
        idea="the refining network",
        settings=("refines=False", "stages=(1.0,)"),
        paper="worse: 4.95",
    ),
    "late": Row(
        idea="late fusion: after one stage (TSLFN_1)",
        settings=("refines=False", "stages=(1.0,)", "streams=1"),
        against="refining",
        paper="worse: 5.63 for 4.95",
    ),
    "streams": Row(
        idea="the second stream: a single one (SSFCN, which is iFCN)",
        recipe="ifcn",
        against="refining",
        paper="worse: 5.81 for 4.95; lower decidability index (table 1)",
    ),
    "stages": Row(
        idea="training in two stages: all at once",
        settings=("stages=(1.0,)",),
        paper="not measured",
    ),
}

ONE_BY_ONE = ("no_gradient=(1.0,)", "corrections=False", "samples.strategy='ifcn'")
ITIS: Mapping[str, Row] = {
    "all": Row(
        idea="nothing: Gaussians, iterative training, mask channel",
        paper="3.7 clicks to 85 % on VOC (figure 5)",
    ),
    "mask": Row(
        idea="the mask channel",
        settings=("masked=False",),
        paper="the same: 3.8 for 3.7",
    ),
    "iterations": Row(
        idea="iterative training, too: all clicks are made up before",
        settings=("masked=False", *ONE_BY_ONE),
        against="mask",
        paper="worse: 5.4 for 3.8",
    ),
    "gaussians": Row(
        idea="Gaussians, too: distances",
        settings=("masked=False", *ONE_BY_ONE, "gaussian=False"),
        against="iterations",
        paper="worse: 6.5 for 5.4",
    ),
    "pixels": Row(
        idea="learning from all pixels: from the worst quarter, at last (4.2)",
        settings=("worst=0.25", "stages=(0.7, 0.3)"),
        paper="is the paper's; not measured alone",
    ),
    "settled": Row(
        idea="batch norms as at run time in the last steps",
        settings=("settled=0.0",),
        paper="is ours; the paper's norms were pretrained and frozen",
    ),
    "itis": Row(
        idea="nothing; asked by the robot itis",
        robot="itis",
        against="itis",
        paper="the training's own robot (3.2)",
    ),
    "clusters": Row(
        idea="that robot's largest cluster: any, by size (4.4)",
        robot="itis-cluster-sample",
        against="itis",
        paper="slightly worse",
    ),
    "random": Row(
        idea="that robot's clusters: any wrong pixel (4.4)",
        robot="itis-random",
        against="itis",
        paper="slightly worse",
    ),
}

BRS: Mapping[str, Row] = {
    "all": Row(
        idea="nothing; without refinement by backpropagation",
        paper="6.12 clicks to 90 % on GrabCut, 7.65 on Berkeley",
    ),
    "fine": Row(
        idea="the fine decoder",
        settings=("refines=False", "stages=(1.0,)"),
        paper="much worse: 17.4 and 19.63",
    ),
}

IFCN: Mapping[str, Row] = {
    "all": Row(idea="nothing", paper="6.04 clicks to 90 % on GrabCut with graph cut"),
    "stride": Row(
        idea="stride 8: 32 (FCN-32s)",
        settings=("stride=32",),
        paper="coarser strides come first in training; not measured",
    ),
}

PAPER_ROWS: Mapping[str, Mapping[str, Row]] = {
    "brs": BRS,
    "fctsfn": FCTSFN,
    "ifcn": IFCN,
    "itis": ITIS,
    "latent-diversity": LATENT_DIVERSITY,
    "ris-net": RIS_NET,
}
