"""Libraries of one job each, without business words. Services share these and nothing else."""
