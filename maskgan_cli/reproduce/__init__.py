"""Reproduction of the paper's tables, on rendered faces or a data set, with a record of the origin of each number.

preset.py   scale of an experiment: faces, networks, steps; loaded from recipes/reproduce/NAME.yaml
stages.py   a stage, i.e. one command of a plan, and a plan as a shell script
plan.py     a plan: the stages that the tables require
tables.py   the tables: rows, columns, pairs
needs.py    finds missing inputs of a plan before it starts
runner.py   runs stages in order and skips finished ones
parallel.py  runs stages at the same time, one on each device
record.py   collects all numbers and hashes of a reproduction in one JSON document
"""
