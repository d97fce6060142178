-- What the bot asks for at set times.
create table tas.schedule (
  id           text primary key,
  environment  text not null,
  action       text not null check (action in ('validate', 'backup')),
  cron         text not null,
  time_zone    text not null,
  -- Says nothing where a report would say nothing new.
  quiet        boolean not null,
  paused       boolean not null default false,
  editor_id    text not null,
  editor_name  text not null,
  edited_at    timestamptz not null,
  -- Null = it never comes due again.
  next_at      timestamptz
);
create index schedule_due on tas.schedule (next_at) where not paused;

-- One row a time at which it came due, whoever of several replicas saw it.
create table tas.schedule_firing (
  schedule_id  text not null references tas.schedule (id) on delete cascade,
  due_at       timestamptz not null,
  claimed_at   timestamptz not null,
  outcome      text not null check (outcome in ('claimed', 'asked', 'skipped', 'refused')),
  run_id       text references tas.run (id),
  reported     boolean not null default false,
  primary key (schedule_id, due_at)
);
create index schedule_firing_unreported on tas.schedule_firing (schedule_id) where outcome = 'asked' and not reported;

-- What a scheduled validation found: counts and names of checks, no values.
create table tas.validation_report (
  run_id       text primary key references tas.run (id),
  schedule_id  text not null references tas.schedule (id) on delete cascade,
  at           timestamptz not null,
  told         boolean not null,
  content      jsonb not null
);
create index validation_report_by_schedule on tas.validation_report (schedule_id, at desc);
