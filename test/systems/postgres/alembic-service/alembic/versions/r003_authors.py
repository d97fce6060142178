"""authors"""

import sqlalchemy as sa
from alembic import op

revision = "r003"
down_revision = "r002"


def upgrade():
    op.create_table("authors", sa.Column("id", sa.Integer, primary_key=True))
    op.add_column("papers", sa.Column("author", sa.Integer))


def downgrade():
    op.drop_column("papers", "author")
    op.drop_table("authors")
