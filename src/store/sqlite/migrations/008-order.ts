/**
 * The order of senders: priorities, turns by account before recipient domain, who waits for slots together, schedules.
 *
 * Entries that wait already are normal mail and get their turn anew, once: some 3 µs each. Closed lanes are forgotten:
 * whoever closed them begins anew with the program.
 */
export const order = `
-- 0: transactional, 1: normal, 2: bulk.
alter table message add column priority integer not null default 1;

alter table backlog rename to backlog_before;
create table backlog (
  id integer primary key,
  domain text not null,
  account text not null,
  sender_domain text not null,
  priority integer not null,
  -- 1: not to be tried before a moment that the sender named.
  scheduled integer not null,
  site text not null,
  class text not null,
  held integer not null,
  unique (domain, account, sender_domain, priority, scheduled, site, class, held)
);
insert into backlog select id, domain, account, sender_domain, 1, 0, site, class, held from backlog_before;
drop table backlog_before;

-- A recipient domain, an account, one of its sender domains and a priority with claimable entries.
drop table turn;
create table turn (
  id integer primary key,
  domain text not null,
  account text not null,
  sender_domain text not null,
  priority integer not null,
  due_at integer not null,
  -- 1: due_at is when its lane opens again.
  parked integer not null,
  unique (domain, account, sender_domain, priority)
);
create index turn_due on turn (account, priority, due_at, domain);
create index turn_parked on turn (domain) where parked = 1;
insert into turn (domain, account, sender_domain, priority, due_at, parked)
  select b.domain, b.account, b.sender_domain, 1, min(s.earliest), 0
  from backlog b join backlog_slot s on s.backlog = b.id where b.held = 0 group by 1, 2, 3;
drop index entry_due;
update entry set turn = (
  select t.id from backlog b join turn t on t.domain = b.domain and t.account = b.account
    and t.sender_domain = b.sender_domain
  where b.id = entry.backlog)
  where lease_until is null and held_reason is null;
create index entry_due on entry (turn, next_attempt_at, backlog, lease_until, held_reason)
  where lease_until is null and held_reason is null;

-- An account ('': the relay itself) with turns; due_at promises what a turn's does. visits: by claims, to vary their order.
create table claimant (
  account text primary key,
  due_at integer not null,
  visits integer not null
) without rowid;
create index claimant_due on claimant (due_at);
insert into claimant select account, min(due_at), 0 from turn group by account;

-- A recipient domain that nothing is claimed for until then.
drop table lane;
create table lane (
  domain text primary key,
  closed_until integer not null
) without rowid;
create index lane_closed on lane (closed_until);

-- Who waits for send slots under the same limits with the same priority. overtaken: how often a more urgent one went first.
create table line (
  id integer primary key,
  account text not null,
  priority integer not null,
  sender_domain text not null,
  limits text not null,
  overtaken integer not null,
  unique (account, priority, sender_domain, limits)
);
insert into line (account, priority, sender_domain, limits, overtaken)
  select distinct m.account, 1, m.sender_domain, m.limits, 0 from entry e join message m on m.seq = e.message
  where e.paced = 2 and m.account is not null and m.limits is not null;
-- Null: none, or its slot is not given away. entry.paced 3: waits for the moment its sender named, and takes its slot then.
alter table entry add column line integer;
update entry set line = (
  select l.id from message m join line l on l.account = m.account and l.priority = 1
    and l.sender_domain = m.sender_domain and l.limits = m.limits where m.seq = entry.message)
  where paced = 2;
create index entry_line on entry (line, next_attempt_at) where paced = 2 and line is not null;
`
