"""Published checkpoints: what exists, how to get it, and how its tensors are named here."""
