"""Measuring results.

counterfactual.py   against the true picture, which rendered faces have
"""
