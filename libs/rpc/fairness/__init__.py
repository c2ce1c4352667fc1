"""What outside callers get of a process: how much at the same time, in which turn, and what becomes of those that want more."""
