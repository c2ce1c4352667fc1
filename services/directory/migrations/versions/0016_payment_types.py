"""types of payment that a channel takes"""

from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An older build does not know what its policies say.
min_reader = '0016'

_TYPES = '["credit_card", "spending_account", "purchase_order"]'
_NAMED = {
    'sqlite': f"""
        UPDATE api_clients SET policy = json_set(
            CASE json_type(policy) WHEN 'object' THEN policy ELSE '{{}}' END, '$.payment_types', json('{_TYPES}')
        )""",
    'postgresql': f"""
        UPDATE api_clients SET policy = jsonb_set(
            CASE jsonb_typeof(policy) WHEN 'object' THEN policy ELSE '{{}}'::jsonb END, '{{payment_types}}', '{_TYPES}'::jsonb
        )""",
}
_UNNAMED = {
    'sqlite': "UPDATE api_clients SET policy = json_remove(policy, '$.payment_types') WHERE json_type(policy) = 'object'",
    'postgresql': "UPDATE api_clients SET policy = policy - 'payment_types' WHERE jsonb_typeof(policy) = 'object'",
}


def upgrade() -> None:
    """Channels took every type until now, and go on with those that there are: their owners say otherwise."""
    op.get_bind().exec_driver_sql(_NAMED[op.get_bind().dialect.name])


def downgrade() -> None:
    op.get_bind().exec_driver_sql(_UNNAMED[op.get_bind().dialect.name])
