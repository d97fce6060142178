"""a revision that cannot be taken back"""

from alembic import op

revision = "x_no_way_back"
down_revision = "r001"


def upgrade():
    op.execute("DELETE FROM papers WHERE id > 100")


def downgrade():
    raise NotImplementedError("there is none")
