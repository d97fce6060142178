-- Windows whose choices were asked for: what is submitted twice is asked for once.
create table tas.submitted_window (
  view_id       text primary key,
  submitted_at  timestamptz not null default now()
);

-- Which run a message is about.
create index post_by_place on tas.post (ts, channel);
