"""Counts calls. Tests assert on them: no use case makes more calls for more lines."""

from collections import Counter

served: Counter[str] = Counter()
"""Calls served, by full method name."""
sent: Counter[str] = Counter()
"""Calls to other services, by full method name."""
