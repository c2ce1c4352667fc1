"""Northwind, the sample business, as a marketplace: a real input with known totals."""
