"""Measuring results: who is compared with whom, one file per metric, and the tables.

pairs.py, pair_list.py      the protocols' choices, and the CSV that holds them
pictures.py, judging.py     what is measured, and by whom
attributes.py, segmentation.py, identity.py, fid.py (with frechet.py)
counterfactual.py (with feature_distance.py)   against the true picture, which rendered faces have
survey.py                   what people prefer
results.py, report.py       a number with all it came from, and the tables
"""
