-- What the announcer remembers, so that nothing is posted twice or left out.
create table tas.outbox_cursor (
  only_row  boolean primary key default true check (only_row),
  event_id  bigint not null
);

create table tas.post (
  run_id   text not null references tas.run (id),
  name     text not null,
  channel  text not null,
  ts       text,
  primary key (run_id, name)
);

create table tas.button (
  token     text primary key,
  meaning   jsonb not null,
  saved_at  timestamptz not null default now()
);

create table tas.group_member (
  group_id  text not null,
  user_id   text not null,
  primary key (group_id, user_id)
);
