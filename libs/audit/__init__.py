"""The log of administrative acts: written in the transactions that carry them out, read by auditors."""
