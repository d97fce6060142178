"""papers have a status"""

import sqlalchemy as sa
from alembic import op

revision = "r002"
down_revision = "r001"


def upgrade():
    op.add_column("papers", sa.Column("status", sa.Text, server_default="new", nullable=False))
    op.create_index("papers_status", "papers", ["status"])
    op.execute("UPDATE papers SET status = 'old'")


def downgrade():
    op.drop_index("papers_status", "papers")
    op.drop_column("papers", "status")
