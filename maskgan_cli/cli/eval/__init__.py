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

app = typer.Typer(
    name="eval",
    help="Measure results with the paper's metrics, and make its tables.",
    no_args_is_help=True,
    rich_help_panel="Evaluation",
)

for module in (metrics, distances, pairs, survey, truths, judge):
    module.register(app)
