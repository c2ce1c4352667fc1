"""the status of supplier orders beside the owner's own; how a channel forwards, by name"""

from alembic import op
import sqlalchemy as sa

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = '0007'

_NAMED = {
    'sqlite': """
        UPDATE orders SET policy = json_set(
            policy, '$.auto_forward', CASE json_extract(policy, '$.auto_forward') WHEN 1 THEN 'ALL' ELSE 'NONE' END
        ) WHERE json_type(policy, '$.auto_forward') IN ('true', 'false')""",
    'postgresql': """
        UPDATE orders SET policy = jsonb_set(
            policy, '{auto_forward}', CASE policy->>'auto_forward' WHEN 'true' THEN '"ALL"'::jsonb ELSE '"NONE"'::jsonb END
        ) WHERE jsonb_typeof(policy->'auto_forward') = 'boolean'""",
}
_UNNAMED = {
    'sqlite': """
        UPDATE orders SET policy = json_set(
            policy, '$.auto_forward', json(CASE json_extract(policy, '$.auto_forward') WHEN 'ALL' THEN 'true' ELSE 'false' END)
        ) WHERE json_type(policy, '$.auto_forward') = 'text'""",
    'postgresql': """
        UPDATE orders SET policy = jsonb_set(
            policy, '{auto_forward}', CASE policy->>'auto_forward' WHEN 'ALL' THEN 'true'::jsonb ELSE 'false'::jsonb END
        ) WHERE jsonb_typeof(policy->'auto_forward') = 'string'""",
}


def upgrade() -> None:
    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.add_column(sa.Column('supplier_status', sa.String(length=20), server_default='', nullable=False))

    op.execute("UPDATE orders SET supplier_status = sub_status, sub_status = '' WHERE kind <> 'BUYER'")
    op.get_bind().exec_driver_sql(_NAMED[op.get_bind().dialect.name])


def downgrade() -> None:
    op.get_bind().exec_driver_sql(_UNNAMED[op.get_bind().dialect.name])
    op.execute("UPDATE orders SET sub_status = supplier_status WHERE kind <> 'BUYER'")
    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.drop_column('supplier_status')
