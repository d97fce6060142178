-- Approvals that their voter has yet to confirm at an identity provider. Secrets are kept as SHA-256 only.
create table tas.confirmation (
  id           text primary key,
  -- Of the secret in the link.
  token_hash   text not null unique,
  run_id       text not null references tas.run (id) on delete cascade,
  -- Of the plan, or of the step, that is approved.
  digest       text not null,
  person_id    text not null,
  person_name  text not null,
  reason       text,
  -- open → proven (the provider said who it was) → counted (with the vote, in one transaction); or it came to nothing
  state        text not null check (state in ('open', 'proven', 'counted', 'refused', 'replaced')),
  asked_at     timestamptz not null,
  expires_at   timestamptz not null,
  -- The login under way; null = none. Taken out by its answer, so that the same answer works once.
  login_hash   text unique,
  browser_hash text,
  begun_at     timestamptz,
  proven_at    timestamptz,
  counted_at   timestamptz
);
create unique index confirmation_open on tas.confirmation (run_id, digest, person_id) where state = 'open';
create index confirmation_over on tas.confirmation (expires_at) where state <> 'counted';
