"""The commands of ``eval``, which measure results.

options.py      options and functions that the commands share
metrics.py      attributes, segmentation, identity, counterfactual, results
distances.py    fid, kid, precision, lpips
judge.py        judge, verify
pairs.py        pairs
truths.py       truths
survey.py       survey, report
"""

from __future__ import annotations

import typer

from maskgan_cli.cli.eval import distances, judge, metrics, pairs, survey, truths
from maskgan_cli.cli.shell import add_command

app = typer.Typer(
    name="eval",
    help="Measure results with the paper's metrics, and make its tables.",
    no_args_is_help=True,
)

for _function in (
    metrics.attributes,
    metrics.segmentation,
    metrics.identity,
    metrics.counterfactual,
    metrics.results,
    distances.fid,
    distances.kid,
    distances.precision,
    distances.lpips,
    pairs.pairs,
    survey.survey,
    survey.report,
    truths.truths,
    judge.judge,
    judge.verify,
):
    add_command(app, _function.__name__)(_function)
