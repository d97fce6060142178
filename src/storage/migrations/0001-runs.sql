-- Runs, votes, events, leases: what the bot must remember to carry a run to its end.
create table tas.run (
  id              text primary key,
  environment     text not null,
  action          text not null,
  subject         text not null,
  status          text not null,
  requester_id    text not null,
  requester_name  text not null,
  reason          text,
  plan            jsonb not null,
  digest          text not null,
  votes_needed    integer not null,
  sequence_base   text not null,
  attempt         integer not null default 1,
  requested_at    timestamptz not null,
  expires_at      timestamptz not null,
  started_at      timestamptz,
  ended_at        timestamptz,
  findings        jsonb not null default '[]',
  failure         jsonb,
  backup_id       text,
  undone_by       text references tas.run (id)
);
create index run_by_time on tas.run (environment, requested_at desc);
create index run_open on tas.run (environment, status) where status in ('planned', 'queued', 'running', 'parked');

create table tas.vote (
  run_id      text not null references tas.run (id),
  voter_id    text not null,
  voter_name  text not null,
  choice      text not null,
  digest      text not null,
  reason      text,
  at          timestamptz not null,
  primary key (run_id, voter_id)
);

create table tas.run_event (
  id      bigint generated always as identity primary key,
  run_id  text not null references tas.run (id),
  at      timestamptz not null,
  type    text not null,
  text    text,
  -- What the event tells of, once: work that is repeated after a crash tells nothing twice. Null = may be told again.
  once    text,
  unique (run_id, once)
);
create index run_event_by_run on tas.run_event (run_id, id);

create table tas.run_step (
  run_id      text not null references tas.run (id),
  step_id     text not null,
  state       text not null,
  done        bigint not null default 0,
  kept        bigint not null default 0,
  missing     bigint not null default 0,
  batches     integer not null default 0,
  started_at  timestamptz,
  ended_at    timestamptz,
  primary key (run_id, step_id)
);

-- One changing run an environment. The token grows with each acquisition and never shrinks.
create table tas.environment_lease (
  environment  text primary key,
  run_id       text references tas.run (id),
  token        bigint not null,
  state        text not null check (state in ('free', 'held', 'parked')),
  since        timestamptz not null,
  expires_at   timestamptz not null
);

-- Values that records outside of a run refer to: its undo keeps them.
create table tas.undo_hold (
  run_id      text not null references tas.run (id),
  system      text not null,
  collection  text not null,
  field       text not null,
  value       text not null,
  primary key (run_id, system, collection, field, value)
);

create table tas.system_seen (
  environment  text not null,
  system       text not null,
  last_up_at   timestamptz not null,
  primary key (environment, system)
);
