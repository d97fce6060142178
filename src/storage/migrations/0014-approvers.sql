-- Since when somebody has been in a group: whoever came in a moment ago does not vote on what destroys.
create table tas.group_listing (
  group_id         text primary key,
  first_listed_at  timestamptz not null
);
insert into tas.group_listing (group_id, first_listed_at) select distinct group_id, now() from tas.group_member;
-- Null = was in it when the group was first listed.
alter table tas.group_member add column since timestamptz;
