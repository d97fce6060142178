-- When a run that stands still while services are down undoes itself, unless somebody decides before; null = it does not.
alter table tas.run add column undo_due timestamptz;
create index run_undo_due on tas.run (undo_due) where undo_due is not null;
