"""a revision that needs answers of the server, so that its SQL cannot be told beforehand"""

from alembic import op
from sqlalchemy import text

revision = "x_reads"
down_revision = "r001"


def upgrade():
    count = op.get_bind().execute(text("SELECT count(*) FROM papers")).scalar()
    op.execute(f"UPDATE papers SET title = title || ' of {int(count)}'")


def downgrade():
    op.execute("UPDATE papers SET title = split_part(title, ' of ', 1)")
