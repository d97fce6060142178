-- Checklists of runs: what is looked at, as it was when the run was asked for. What the bot sees by itself is read from the run.
create table tas.checklist (
  run_id           text primary key references tas.run (id),
  items            jsonb not null,
  -- The gate at which the run was last found to wait; null = none.
  waits_at         text check (waits_at in ('start', 'services-up', 'end')),
  revision         integer not null default 0,
  -- The look that its message was last given, and how the run stood then.
  showing          integer not null default 0,
  look             text not null default '',
  shown_status     text,
  shown_undone_by  text
);

-- What a person did to one item; the newest row of an item counts. Never a list as a whole: two clicks at once undo nothing.
create table tas.checklist_tick (
  id       bigint generated always as identity primary key,
  run_id   text not null references tas.checklist (run_id),
  item     text not null,
  ticked   boolean not null,
  by_id    text not null,
  by_name  text not null,
  at       timestamptz not null
);
create index checklist_tick_by_item on tas.checklist_tick (run_id, item, id);

-- Gates that a run has gone through.
create table tas.checklist_gate (
  run_id     text not null references tas.checklist (run_id),
  point      text not null check (point in ('start', 'services-up', 'end')),
  passed_at  timestamptz not null,
  primary key (run_id, point)
);

-- What each person's boxes showed after his last click: what Slack sends is the whole selection, and is compared with this.
create table tas.checklist_click (
  run_id     text not null references tas.checklist (run_id),
  token      text not null,
  person_id  text not null,
  selected   jsonb not null,
  sent_at    numeric not null,
  primary key (token, person_id)
);
