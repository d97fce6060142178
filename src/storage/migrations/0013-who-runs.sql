-- Whoever asks for a schedule's run by hand is who asks for that one.
alter table tas.schedule add column run_by_name text;
alter table tas.schedule_firing add column run_by_name text;
