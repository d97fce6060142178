-- Drills, the removal of old backup sets, and checks of the bot itself; schedules of the configuration.
alter table tas.schedule drop constraint schedule_action_check;
alter table tas.schedule add constraint schedule_action_check
  check (action in ('validate', 'backup', 'drill', 'retention', 'self-check'));
-- Its name in the configuration; null = people made it.
alter table tas.schedule add column configured text;
create unique index schedule_configured on tas.schedule (environment, configured);
-- Who paused it; null = nobody, or it was paused before this was noted.
alter table tas.schedule add column paused_by_id text;
alter table tas.schedule add column paused_by_name text;
-- Who asked for it now; null = it comes due by itself.
alter table tas.schedule add column run_by_id text;
alter table tas.schedule_firing add column run_by_id text;

-- Everybody who had a say in what a schedule does: none of them may approve what it asks for.
create table tas.schedule_editor (
  schedule_id  text not null references tas.schedule (id) on delete cascade,
  editor_id    text not null,
  at           timestamptz not null,
  primary key (schedule_id, editor_id)
);
insert into tas.schedule_editor (schedule_id, editor_id, at) select id, editor_id, edited_at from tas.schedule;

-- What was found stays when the schedule goes.
alter table tas.validation_report drop constraint validation_report_schedule_id_fkey;
