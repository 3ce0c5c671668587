/**
 * Accounts take turns at a recipient domain (turns.ts): what is due is found by account, not by domain alone.
 *
 * The index is smaller than before, as a number stands in it instead of a name. Entries that wait already are given
 * their turn here, once: some 3 µs each.
 */
export const turn = `
-- A recipient domain and an account ('': the relay itself) with claimable entries; due_at promises what a lane's does.
create table turn (
  id integer primary key,
  domain text not null,
  account text not null,
  due_at integer not null,
  unique (domain, account)
);
create index turn_due on turn (domain, due_at);

-- Says something only while the entry is neither leased nor held.
alter table entry add column turn integer not null default 0;

insert into turn (domain, account, due_at)
  select b.domain, b.account, min(s.earliest) from backlog b join backlog_slot s on s.backlog = b.id
  where b.held = 0 group by 1, 2;
drop index entry_due;
update entry set turn = (
  select t.id from backlog b join turn t on t.domain = b.domain and t.account = b.account where b.id = entry.backlog)
  where lease_until is null and held_reason is null;
create index entry_due on entry (turn, next_attempt_at, backlog, lease_until, held_reason)
  where lease_until is null and held_reason is null;
`
