"""papers"""

import sqlalchemy as sa
from alembic import op

revision = "r001"
down_revision = None


def upgrade():
    op.create_table(
        "papers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
    )
    op.bulk_insert(sa.table("papers", sa.column("id", sa.Integer), sa.column("title", sa.Text)), [{"id": 1, "title": "one; 'quoted' 😀"}])


def downgrade():
    op.drop_table("papers")
