-- Maintenance windows: when users are told to stay away, and which migration may only start then.
create table tas.maintenance_window (
  id               text primary key,
  environment      text not null,
  starts_at        timestamptz not null,
  ends_at          timestamptz not null check (ends_at > starts_at),
  -- The time zone in which it was asked for: it is shown in it.
  zone             text not null,
  reason           text not null,
  migration        text,
  state            text not null check (state in ('scheduled', 'active', 'ended', 'cancelled', 'missed')),
  created_by_id    text not null,
  created_by_name  text not null,
  created_at       timestamptz not null,
  started_at       timestamptz,
  ended_at         timestamptz,
  -- Why it ended or was cancelled; null = nothing was said.
  remark           text
);
create index maintenance_window_open on tas.maintenance_window (environment, starts_at) where state in ('scheduled', 'active');

create index run_by_window on tas.run ((plan -> 'window' ->> 'id')) where plan ? 'window';
create index run_by_mode on tas.run ((plan -> 'maintenance' ->> 'window')) where plan ? 'maintenance';

-- What one replica does for all of them, for as long as it goes on doing it.
create table tas.keeper (
  name    text primary key,
  holder  text not null,
  until   timestamptz not null
);

-- What a status page is told, until it has taken it. The id goes along: told twice it counts once.
create table tas.status_page_post (
  id             text primary key,
  window_id      text not null references tas.maintenance_window (id),
  environment    text not null,
  number         bigint generated always as identity,
  body           jsonb not null,
  next_at        timestamptz not null,
  claimed_until  timestamptz,
  attempts       integer not null default 0,
  -- Delivered, refused for good, or overtaken by a later one of the same window.
  state          text not null default 'waiting' check (state in ('waiting', 'delivered', 'refused', 'overtaken'))
);
create index status_page_post_waiting on tas.status_page_post (number) where state = 'waiting';

-- Who is called for what. A page is delivered while the version that was delivered is smaller than its own.
create table tas.page (
  key            text primary key,
  environment    text not null,
  reason         text not null,
  severity       text not null,
  summary        text not null,
  advice         text not null,
  run_id         text,
  state          text not null check (state in ('raised', 'resolved')),
  raised_at      timestamptz not null,
  version        integer not null default 1,
  delivered      integer not null default 0,
  tried          boolean not null default false,
  attempts       integer not null default 0,
  next_at        timestamptz not null,
  claimed_until  timestamptz
);
create index page_open on tas.page (environment, raised_at) where state = 'raised';

-- Each change of a page, once, however many replicas tell of it.
create table tas.page_change (
  once  text primary key,
  key   text not null,
  at    timestamptz not null
);

create table tas.page_cursor (
  only_row  boolean primary key default true check (only_row),
  event_id  bigint not null
);

-- A look at the environment after a run, each minute once.
create table tas.bake_look (
  run_id   text not null references tas.run (id),
  minute   integer not null,
  at       timestamptz not null,
  -- What was wrong; empty = all was well, null = the look has not ended.
  wrong    text[],
  primary key (run_id, minute)
);
