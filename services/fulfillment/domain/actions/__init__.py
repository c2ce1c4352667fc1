"""What can happen to the supplier orders of one order: one file an action, each a pure function."""
