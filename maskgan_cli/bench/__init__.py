"""How fast this machine is: what ``maskgan bench`` measures, and the schema that ``benchmarks/`` shares with it.

figure.py        what is measured (`Case`), and what was found (`Figure`)
measure.py       one case in a process of its own: rounds, processor time, peak memory
machine.py       device, versions and threads, for the record
report.py        many cases, and the document that keeps their figures
table.py         every measurement by name
painting.py      faces painted by the Dense Mapping Network, in PyTorch and as ONNX
preparation.py   ``prep-data``
training.py      steps of ``train dmn``
rendering.py     ``synth``
distance.py      ``eval fid``
starting.py      commands that only start
"""
