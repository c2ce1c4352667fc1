"""The client programs of the documentation, from the release archive and from the wheels, against `waybill serve`.

A tier of its own, `make test-clients`: it needs Node with npm, a registry for npm and an index for pip.
"""
