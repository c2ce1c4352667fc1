"""how a channel forwards its orders, by name"""

from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = '0004'

_NAMED = {
    'sqlite': """
        UPDATE api_clients SET policy = json_set(
            policy, '$.auto_forward',
            CASE json_extract(policy, '$.auto_forward') WHEN 1 THEN 'AUTO_FORWARD_ALL' ELSE 'AUTO_FORWARD_NONE' END
        ) WHERE json_type(policy) = 'object'""",
    'postgresql': """
        UPDATE api_clients SET policy = jsonb_set(
            policy, '{auto_forward}',
            CASE policy->>'auto_forward' WHEN 'true' THEN '"AUTO_FORWARD_ALL"'::jsonb ELSE '"AUTO_FORWARD_NONE"'::jsonb END
        ) WHERE jsonb_typeof(policy) = 'object'""",
}
_UNNAMED = {
    'sqlite': """
        UPDATE api_clients SET policy = CASE json_extract(policy, '$.auto_forward')
            WHEN 'AUTO_FORWARD_ALL' THEN json_set(policy, '$.auto_forward', json('true'))
            ELSE json_remove(policy, '$.auto_forward') END
        WHERE json_type(policy) = 'object'""",
    'postgresql': """
        UPDATE api_clients SET policy = CASE policy->>'auto_forward'
            WHEN 'AUTO_FORWARD_ALL' THEN jsonb_set(policy, '{auto_forward}', 'true'::jsonb)
            ELSE policy - 'auto_forward' END
        WHERE jsonb_typeof(policy) = 'object'""",
}


def upgrade() -> None:
    """A policy that said nothing did not forward."""
    op.get_bind().exec_driver_sql(_NAMED[op.get_bind().dialect.name])


def downgrade() -> None:
    op.get_bind().exec_driver_sql(_UNNAMED[op.get_bind().dialect.name])
