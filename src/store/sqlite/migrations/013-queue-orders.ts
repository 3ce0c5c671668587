/**
 * Suspensions with the entries they hold, detours, and orders to many entries that are under way.
 *
 * Both indexes of entries are partial: what is not held costs a comparison.
 */
export const queueOrders = `
create table suspension (
  id text primary key,
  -- Suspension as JSON.
  data text not null,
  -- 1 once what was queued when it was made is held.
  caught integer not null default 0,
  -- Its entries are being released; the row goes with the last of them.
  ended_at integer
) without rowid;
alter table entry add column suspension text;
create index entry_suspended on entry (suspension) where suspension is not null;
create index entry_own_hold on entry (backlog) where held_reason is not null and suspension is null;

create table detour (
  id text primary key,
  -- Detour as JSON.
  data text not null
) without rowid;

create table queue_operation (
  id text primary key,
  -- QueueOperation as JSON.
  data text not null
) without rowid;
`
