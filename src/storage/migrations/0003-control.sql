-- What people ask of a run while it goes on, how far its steps are, and votes on single steps.
alter table tas.run
  add column pace    double precision not null default 1,
  -- Why it stands still, while it is paused.
  add column pause   text,
  -- Why it waits or goes slowly just now.
  add column waits   text,
  -- Failures of stores that were tried again since it last started.
  add column errors  integer not null default 0;

-- Where the next batch of the step begins, as {"cursor": …}; null = not known, its journal answers from the first batch on.
alter table tas.run_step add column place jsonb;

-- Who asked what of a run, and of which attempt: a retry is not stopped by what was asked of the attempt before.
create table tas.run_request (
  id       bigint generated always as identity primary key,
  run_id   text not null references tas.run (id),
  attempt  integer not null,
  what     text not null check (what in ('pause', 'resume', 'stop', 'cancel', 'slower', 'faster', 'retry')),
  by_id    text not null,
  by_name  text not null,
  at       timestamptz not null
);
create unique index run_request_once on tas.run_request (run_id, attempt, what) where what in ('pause', 'stop');

-- A vote on exactly what one step would do when it is its turn. One is open a run at most.
create table tas.step_gate (
  id            bigint generated always as identity primary key,
  run_id        text not null references tas.run (id),
  step_id       text not null,
  preview       jsonb not null,
  digest        text not null,
  votes_needed  integer not null,
  state         text not null check (state in ('open', 'approved', 'rejected', 'replaced')),
  asked_at      timestamptz not null,
  expires_at    timestamptz not null
);
create unique index step_gate_open on tas.step_gate (run_id) where state = 'open';
create index step_gate_by_run on tas.step_gate (run_id, id);

create table tas.step_gate_vote (
  gate_id     bigint not null references tas.step_gate (id),
  voter_id    text not null,
  voter_name  text not null,
  choice      text not null,
  digest      text not null,
  reason      text,
  at          timestamptz not null,
  primary key (gate_id, voter_id)
);

drop index tas.run_open;
create index run_open on tas.run (environment, status) where status in ('planned', 'queued', 'running', 'paused', 'parked');
