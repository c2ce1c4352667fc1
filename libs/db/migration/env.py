"""Alembic's environment, shared by all services: it runs on the connection it is given."""

from alembic import context

from libs.db.schema_info import is_of_a_service

config = context.config
context.configure(
    connection=config.attributes["connection"],
    target_metadata=config.attributes.get("metadata"),
    render_item=config.attributes.get("render_item"),
    include_object=is_of_a_service,
    render_as_batch=True,
    compare_type=False,
    transactional_ddl=False,
)
context.run_migrations()
