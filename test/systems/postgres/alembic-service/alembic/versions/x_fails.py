"""a revision that fails over a record"""

from alembic import op

revision = "x_fails"
down_revision = "r001"


def upgrade():
    op.execute("CREATE TABLE half_done (id int)")
    op.execute("INSERT INTO papers (id, title) SELECT id, 'very secret' FROM papers")


def downgrade():
    op.execute("DROP TABLE half_done")
