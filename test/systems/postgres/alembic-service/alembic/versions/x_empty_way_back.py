"""a revision whose downgrade does nothing"""

from alembic import op

revision = "x_empty_way_back"
down_revision = "r001"


def upgrade():
    op.execute("DO $$ BEGIN DELETE FROM papers WHERE id > 100; END $$")


def downgrade():
    pass
