"""The tables (paper, Sec. 5: Tables 2 to 4 and the ablations). Each function adds the stages of one table to a plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from maskgan_cli.errors import InputError
from maskgan_cli.reproduce.plan import ATTRIBUTES, MASKLESS, START, TRUTH, ReproductionPlan

MASKED: Final = ("spade", "sean", "pix2pixhd-m", "maskgan", "maskgan-ebst")
METRICS: Final = ("attributes", "segmentation", "fid", "identity")
_SMILING: Final = "transfer --attribute Smiling"


def attribute_transfer(plan: ReproductionPlan) -> None:
    """Add the stages (commands) that make Table 2: transfer of the attribute Smiling by all methods."""
    pairs = plan.pairs("smiling", truths=True)
    measured, needs = [], [pairs[0]]
    for name, metrics in [*((n, ("attributes", "fid", "identity")) for n in MASKLESS), *((n, METRICS) for n in MASKED)]:
        plan.method(name)
        needs.append(plan.paint(name, "smiling", pairs, command=_SMILING))
        measured.append(plan.measure(name, "smiling", pairs, metrics, needs[-1:]))
    if plan.rendered:
        measured.append(plan.measure(TRUTH, "smiling", pairs, METRICS, needs, masks="smiling/maskgan"))
    plan.table("attribute-transfer", measured)
    plan.figure("attribute-transfer", "smiling", pairs, [*MASKLESS, *MASKED], needs, "smiling/maskgan")


def counterfactual(plan: ReproductionPlan) -> None:
    """Add the stages (commands) that compare all methods with the ground truth. This table is not in the paper.

    The ground truth (a counterfactual) is a second rendering of the source face with the target's expression. So the
    faces must be rendered.

    Raises:
        InputError: the plan uses a data set.
    """
    if not plan.rendered:
        raise InputError("--data", expected="no data set: only rendered faces have ground truth", found=plan.faces)
    pairs = plan.pairs("smiling", truths=True)
    measured, needs = [], [pairs[0]]
    for name in (*MASKLESS, *MASKED):
        plan.method(name)
        needs.append(plan.paint(name, "smiling", pairs, command=_SMILING))
        measured.append(plan.against_truth(name, "smiling", pairs, needs[-1:]))
    measured.append(plan.against_truth(TRUTH, "smiling", pairs, []))
    plan.table("counterfactual", measured)
    plan.figure("counterfactual", "smiling", pairs, [*MASKLESS, *MASKED], needs, "smiling/maskgan")


def style_copy(plan: ReproductionPlan) -> None:
    """Add the stages (commands) that make Table 3: style copy by the methods that use masks.

    Style copy renders the shape of one face in the style of another face.
    """
    pairs = plan.pairs("style-copy")
    measured, needs = [], []
    for name in MASKED:
        plan.method(name)
        needs.append(plan.paint(name, "style-copy", pairs, command="style-copy"))
        measured.append(plan.measure(name, "style-copy", pairs, ("attributes", "segmentation", "fid"), needs[-1:]))
    plan.table("style-copy", measured)
    plan.figure("style-copy", "style-copy", pairs, MASKED, needs)


def identity(plan: ReproductionPlan) -> None:
    """Add the stages (commands) that make Table 4: preservation of identity when Smiling is changed.

    StarGAN is left out: its command either adds the smile in all pairs of a list or removes it in all pairs, but this
    list has both kinds of pairs.

    Raises:
        InputError: the data set has no identities, and no identity network is given.
    """
    if not plan.has_identities and "identity" not in plan.judges:
        raise InputError("--data", expected="a data set with identities, or --judge identity=WEIGHTS", found="neither")
    pairs = plan.pairs("identity", truths=True)
    measured, needs = [], [pairs[0]]
    for name in ("elegant", *MASKED):
        plan.method(name)
        needs.append(plan.paint(name, "identity", pairs, command=_SMILING))
        measured.append(plan.measure(name, "identity", pairs, ("identity",), needs[-1:]))
    if plan.rendered:
        measured.append(plan.measure(TRUTH, "identity", pairs, ("identity",), needs[:1]))
    plan.table("identity", measured)
    plan.figure("identity", "identity", pairs, ["elegant", *MASKED], needs, "identity/maskgan")


def fusion(plan: ReproductionPlan) -> None:
    """Add the stages (commands) that compare ways to fuse features of picture and label map in the style encoder.

    The rows of this ablation are: no label branch (pix2pixHD-m), fusion by concatenation, and fusion by SFT (spatial
    feature transform) as in the paper.
    """
    pairs = plan.pairs("smiling", truths=True)
    measured, needs = [], [pairs[0]]
    for name in ("pix2pixhd-m", "concat", "maskgan"):
        plan.method(name)
        needs.append(plan.paint(name, "smiling", pairs, command=_SMILING))
        measured.append(plan.measure(name, "smiling", pairs, METRICS, needs[-1:]))
    plan.table("fusion", measured)
    plan.figure("fusion", "smiling", pairs, ("pix2pixhd-m", "concat", "maskgan"), needs, "smiling/maskgan")


def ebst(plan: ReproductionPlan) -> None:
    """Add the stages (commands) of two tables that compare EBST with a control, over several seeds.

    EBST (Editing Behavior Simulated Training) trains MaskGAN with simulated edits. The control is trained from the same
    weights for the same number of steps, but without simulated edits.
    """
    seeds = range(plan.seed, plan.seed + plan.preset.repetitions)
    rows = ["maskgan"]
    start = plan.method("maskgan")
    for seed in seeds:
        rows.append(f"control-{seed}")
        plan.train("control", run=rows[-1], seed=seed, needs=[start], more=("--start-from", "runs/maskgan"))
    for seed in seeds:
        rows.append("maskgan-ebst" if seed == plan.seed else f"maskgan-ebst-{seed}")
        plan.ebst(rows[-1], seed)
    edits = _simulated(plan)
    smiling = plan.pairs("smiling", truths=True)
    on_edits, on_mouths, painted = [], [], []
    for row in rows:
        done = plan.paint("maskgan", "edits", edits, run=row, command="render")
        on_edits.append(plan.measure(row, "edits", edits, ("attributes", "segmentation", "fid"), [done], masks="edits"))
        painted.append(plan.paint("maskgan", "smiling", smiling, run=row, command=_SMILING))
        on_mouths.append(plan.measure(row, "smiling", smiling, METRICS, painted[-1:]))
    plan.table("ebst", on_edits)
    plan.table("ebst-smiling", on_mouths)
    plan.figure("ebst", "smiling", smiling, rows, painted, "smiling/maskgan")


def _simulated(plan: ReproductionPlan) -> tuple[str, str]:
    """Add the stage (command) that simulates edits of masks; return the stage's name and the path of the list of edits.

    MaskVAE makes two edited masks from the mask of each test face: M_inter is interpolated towards the mask of another
    face, M_outer is moved away from that mask.
    """
    count = ("-n", str(plan.preset.pairs["edits"])) if "edits" in plan.preset.pairs else ()
    vae, weights = plan.vae("--weights")
    words = ("simulate-edits", plan.faces, *weights, *count, "--seed", str(plan.seed))
    stage = plan.add(
        "simulate edits",
        (*words, "--attributes", ATTRIBUTES, "-o", "edits", "--overwrite"),
        ["edits/edits.csv"],
        [plan.prepare(), vae],
        START,
        plan.device,
    )
    return stage, "edits/edits.csv"


TABLES: Final[dict[str, Callable[[ReproductionPlan], None]]] = {
    "attribute-transfer": attribute_transfer,
    "style-copy": style_copy,
    "identity": identity,
    "fusion": fusion,
    "ebst": ebst,
    "counterfactual": counterfactual,
}
