"""Evaluation: pairs of faces, metrics of results, accuracy of judges, and tables.

A *result* is an edited picture that a method (a generator) made for a pair of faces: a *source*, the face to edit, and
a *target*, the face whose shape or style is taken. A *judge* is a pretrained network that measures results: a face
parser, or a network for attributes, head pose or identity.

pairs.py, pair_list.py      pairs of the paper's protocols, and their CSV
choices.py                  allowed values of command-line options
picture_set.py, judging.py  read pictures in batches, load and apply judges
method_results.py           results of one method; interface of the metrics
attributes.py, segmentation.py, identity.py, fid.py   one metric each
feature_sets.py, lpips.py   KID, precision and recall; LPIPS
ground_truth.py, counterfactual.py (with feature_distance.py)   correct results of rendered pairs, and distance to them
survey.py, comparison.py    survey among people, figures that compare methods
judge_accuracy.py, verification.py   accuracy of the judges on labelled faces
results.py, report.py       a measurement with its inputs and weights, and tables of measurements
"""
