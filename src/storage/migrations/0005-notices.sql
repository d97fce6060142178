-- What the bot says by itself, beside what runs tell; kept, so that one can see what was said, and what Slack refused.
create table tas.notice (
  id           bigint generated always as identity primary key,
  topic        text not null,
  to_channel   text,
  to_user      text,
  -- A run or a topic whose message begins the thread.
  thread       text,
  anew         boolean not null,
  once         text not null unique,
  content      jsonb not null,
  image        bytea,
  -- What the image shows, in words.
  image_shows  text,
  added_at     timestamptz not null,
  -- Slack's word when it would not take it for ever.
  refused      text,
  check (num_nonnulls(to_channel, to_user) = 1),
  check (num_nulls(image, image_shows) in (0, 2))
);

create table tas.notice_cursor (
  only_row   boolean primary key default true check (only_row),
  notice_id  bigint not null
);

-- What stands in threads is told behind what stands in channels.
alter table tas.outbox_cursor
  alter column event_id set default 0,
  add column thread_event_id bigint not null default 0;
update tas.outbox_cursor set thread_event_id = event_id;

-- A post is about a run or about a notice's topic.
alter table tas.post drop constraint post_run_id_fkey;
alter table tas.post rename column run_id to about;
alter table tas.post
  add column number bigint generated always as identity,
  -- Somebody deleted it and it was posted anew: that happens once.
  add column anew boolean not null default false;
create index post_of_topic on tas.post (about, channel, number);
