/**
 * The first schema.
 *
 * What a message costs is the number of B-trees it touches, so the hot tables have few indexes and the others are
 * partial: an entry that is leased at acceptance and delivered at once never enters the indexes of waiting entries.
 * What nobody queries stands in one JSON column. Foreign keys are not declared: each would cost a lookup per row, and
 * rows are only ever written together by the functions of this folder.
 */
export const first = `
-- One row per accepted message. seq is given by the writer and never used again.
create table message (
  seq integer primary key,
  id text not null unique,
  account text,
  sender_domain text not null,
  received_at integer not null,
  -- Limit keys each recipient takes a slot from (limit-keys.ts); null: none.
  limits text,
  -- One letter per recipient in the order of RCPT: q(ueued), d(elivered), b(ounced), c(ancelled). Its length never
  -- changes, so an update rewrites one page in place. It is the count of design invariant 2, per message, and keeps the
  -- final state per recipient searchable without a table of recipients.
  states text not null,
  -- The Message as JSON.
  facts text not null
);

-- Exists while an entry needs it: bytes, or the path of a spool file.
create table content (
  message integer primary key,
  bytes blob,
  path text
);
create unique index content_path on content (path) where path is not null;

-- One row per recipient without a final outcome. The recipient itself stands in the message's envelope, at n.
create table entry (
  message integer not null,
  n integer not null,
  domain text not null,
  received_at integer not null,
  next_attempt_at integer not null,
  expires_at integer not null,
  attempts integer not null,
  -- 0: takes a send slot when claimed. 1: has its slot, or needs none. 2: waits for its slot.
  paced integer not null,
  -- Delay notice, 0: not wanted. 1: wanted. 2: sent.
  notice integer not null,
  in_doubt integer not null,
  lease_until integer,
  lease_owner text,
  held_reason text,
  last_class text,
  last_reply text,
  last_host text,
  primary key (message, n)
) without rowid;
create index entry_due on entry (domain, next_attempt_at) where lease_until is null and held_reason is null;
create index entry_leased on entry (lease_until) where lease_until is not null;
create index entry_expires on entry (expires_at) where lease_until is null;
create index entry_notice on entry (received_at) where notice = 1 and lease_until is null;
create index entry_paced on entry (next_attempt_at) where paced = 2;

-- A recipient domain with claimable entries; lanes.ts says what due_at promises.
create table lane (
  domain text primary key,
  due_at integer not null,
  closed_until integer not null default 0
) without rowid;
create index lane_due on lane (due_at);

-- Token buckets, microseconds (policy/token-bucket.ts).
create table bucket (
  key text primary key,
  minute integer not null,
  hour integer not null,
  day integer not null
) without rowid;

-- Recipients per account ('': the relay itself), since ever. queued is what is left of accepted.
create table total (
  account text primary key,
  accepted integer not null,
  delivered integer not null,
  bounced integer not null,
  cancelled integer not null
) without rowid;

create table event (
  seq integer primary key,
  type text not null,
  at integer not null,
  account text,
  message integer,
  n integer,
  recipient text,
  domain text,
  data text not null
);
create index event_message on event (message) where message is not null;
create index event_domain on event (domain) where message is null and domain is not null;

-- The search index of messages, written in parts (trace.ts).
create table trace (
  id integer primary key,
  pairs blob not null
);
create table trace_part (
  part integer primary key,
  last integer not null,
  earliest integer not null,
  latest integer not null
);

create table account (id text primary key, data text not null) without rowid;
create table credential (
  id text primary key,
  username text not null unique,
  account text,
  data text not null
) without rowid;
create index credential_account on credential (account);
create table sender (address text primary key, account text not null, data text not null) without rowid;
create index sender_account on sender (account);

create table domain (
  name text primary key,
  account text not null,
  archived_at integer,
  next_check_at integer not null,
  data text not null
) without rowid;
create index domain_account on domain (account);
create index domain_check on domain (next_check_at) where archived_at is null;
create table dkim_key (
  domain text not null,
  selector text not null,
  data text not null,
  primary key (domain, selector)
) without rowid;
create table latest_check (
  domain text not null,
  purpose text not null,
  name text not null,
  data text not null,
  primary key (domain, purpose, name)
) without rowid;
create table check_history (
  seq integer primary key,
  domain text not null,
  checked_at integer not null,
  purpose text not null,
  name text not null,
  data text not null
);
create index check_history_domain on check_history (domain, checked_at, purpose, name);

create table setting (name text primary key, value text not null) without rowid;

-- One row that is written to see whether writing works.
create table probe (n integer not null);
insert into probe values (0);
`
