"""Benchmarks: the measurements of ``maskgan bench``, and the format of results, which ``benchmarks/`` uses too.

A measurement (e.g. of training steps) has one or several benchmark cases, which differ in settings such as the batch
size. A case repeats its work (e.g. one training step) several times; one repetition is a round.

figure.py        data classes: a benchmark case (`Case`) and its result (`Figure`)
measure.py       runs one case in a separate process, and measures time and peak memory
machine.py       device, versions and threads, for the report
report.py        runs several cases and builds the JSON report
table.py         all measurements by name

One module per measurement:

painting.py      inference of the Dense Mapping Network, with PyTorch and ONNX
preparation.py   preparing a data set (``prep-data``)
training.py      training steps (``train dmn``)
rendering.py     rendering faces (``synth``)
distance.py      statistics of Inception features (``eval fid``)
starting.py      start-up time of commands
"""
