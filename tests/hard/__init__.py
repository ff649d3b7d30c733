"""Hard tests: hostile inputs, kills, full disks, rivals, long runs. `make test-hard` runs them, nothing else does."""
