"""Weights files: what they are, where commands find them, published checkpoints in, portable models out.

format.py     self-describing safetensors files, loaded strictly
foreign.py    state dicts that others have saved, read without believing them
lookup.py     which file a command takes: named, environment, cache, bundled
card.py       the model card beside a file
cache.py      the user's cache folder
layouts.py, baselines.py   published checkpoints' names for their tensors, and ours
convert.py, published.py   a published checkpoint -> ours, as a file or at once
fetch.py, pull.py   download, check, import
export.py     ONNX out
runtime.py    ONNX in
pack.py, average.py   16-bit floats, averages of two networks
"""
