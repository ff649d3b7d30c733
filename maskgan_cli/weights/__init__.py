"""Weights files: reading, writing, look-up, downloads, conversion of published checkpoints, and ONNX.

format.py     self-describing safetensors files, loaded strictly
foreign.py    safe reading of state dicts of other projects
lookup.py     search for the weights of a command: option, environment variable, cache, bundled weights
card.py       model cards
cache.py      the user's cache folder
layouts.py, baseline_layouts.py   tensor names and settings of published checkpoints
convert.py    conversion of published checkpoints
published.py  loading of networks directly from published checkpoints
fetch.py, pull.py   download, hash check, import
export.py     export to ONNX
runtime.py    ONNX files in onnxruntime
pack.py       storage as 16-bit floats
average.py    averages of the weights of two networks
"""
