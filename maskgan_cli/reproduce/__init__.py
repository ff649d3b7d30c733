"""The paper's tables, made here: from nothing, or from a data set, to a table of which every number is traced.

preset.py   how large: faces, networks, steps; read from recipes/reproduce/NAME.yaml
stages.py   one command of a plan, and a plan as a shell script
plan.py     the commands, added as tables come to need them
tables.py   the tables: rows, columns, pairs
needs.py    what a plan lacks, found before anything is trained
runner.py   runs them in order, and what is finished never again
record.py   every number and hash in one JSON document
"""
