"""Standard methods (Create, BatchCreate, Get, BatchGet, List, Update, Delete) over one table per resource.

One declaration of a resource's attributes gives its columns, its conversions, its checks and what lists may filter by,
so that every simple resource of every service behaves the same. Aggregates with rules of their own do not use this.

Two halves: `contract` says what a resource is and what can be asked of it, between messages and values, and knows no
database; `database` keeps resources in tables.
"""
