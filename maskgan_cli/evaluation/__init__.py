"""Measuring results: who is compared with whom, one file per metric, and the tables.

pairs.py, pair_list.py      the protocols' choices, and the CSV that holds them
choices.py                  what the command line's options may be
pictures.py, judging.py, subject.py   what is measured, by whom, and whose it is
attributes.py, segmentation.py, identity.py, fid.py   a measure each: shown results batch by batch, then asked
feature_sets.py, lpips.py   KID, precision and recall; LPIPS
truths.py, counterfactual.py (with feature_distance.py)   the true picture that rendered pairs have, and how far from it
survey.py, comparison.py    what people prefer, and what they see side by side
trust.py, verification.py   the judges themselves, on faces whose truth is known
results.py, report.py       a number with all it came from, and the tables
"""
