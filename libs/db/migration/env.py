"""Alembic's environment, shared by all services: it runs on the connection it is given."""

from alembic import context

config = context.config
context.configure(
    connection=config.attributes["connection"],
    target_metadata=config.attributes.get("metadata"),
    render_item=config.attributes.get("render_item"),
    render_as_batch=True,
    compare_type=False,
    transactional_ddl=False,
)
context.run_migrations()
