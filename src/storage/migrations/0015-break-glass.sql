-- An approval by break-glass counts from then on, unless somebody says no before. Null = it counted at once.
alter table tas.vote add column counts_from timestamptz;
create index vote_counts_from on tas.vote (counts_from) where counts_from is not null;
alter table tas.confirmation add column breaks_glass boolean not null default false;
