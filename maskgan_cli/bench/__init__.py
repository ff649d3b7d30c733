"""Benchmarks: the measurements of ``maskgan bench``, and the result schema that ``benchmarks/`` shares with it.

figure.py        a benchmark case (`Case`) and its result (`Figure`)
measure.py       runs one case in a separate process: rounds, CPU time, peak memory
machine.py       device, versions and threads, for the report
report.py        runs several cases and builds the JSON report
table.py         all measurements by name
painting.py      inference of the Dense Mapping Network, with PyTorch and ONNX
preparation.py   ``prep-data``
training.py      training steps of ``train dmn``
rendering.py     ``synth``
distance.py      ``eval fid``
starting.py      start-up time of commands
"""
