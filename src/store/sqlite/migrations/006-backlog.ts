/**
 * Counts what waits in the transactions that change it, so that nobody has to read the queue to know it (backlog.ts).
 *
 * Entries that wait already are counted here, once: some 10 µs each.
 */
export const backlog = `
-- Waiting entries (not leased) that have all of this in common. '': none, or not known yet.
create table backlog (
  id integer primary key,
  domain text not null,
  account text not null,
  sender_domain text not null,
  site text not null,
  class text not null,
  held integer not null,
  unique (domain, account, sender_domain, site, class, held)
);

-- How many of them are next due in a stretch of time (next_attempt_at >> 18: 4 minutes), and bounds of those moments.
create table backlog_slot (
  backlog integer not null,
  slot integer not null,
  count integer not null,
  earliest integer not null,
  latest integer not null,
  primary key (backlog, slot)
) without rowid;

-- Says something only while the entry is not leased.
alter table entry add column backlog integer not null default 0;

insert into backlog (domain, account, sender_domain, site, class, held)
  select distinct e.domain, coalesce(m.account, ''), m.sender_domain, coalesce(e.last_site, ''),
    coalesce(e.last_class, ''), e.held_reason is not null
  from entry e join message m on m.seq = e.message where e.lease_until is null;
update entry set backlog = (
  select b.id from message m join backlog b on b.domain = entry.domain and b.account = coalesce(m.account, '')
    and b.sender_domain = m.sender_domain and b.site = coalesce(entry.last_site, '')
    and b.class = coalesce(entry.last_class, '') and b.held = (entry.held_reason is not null)
  where m.seq = entry.message) where lease_until is null;
insert into backlog_slot (backlog, slot, count, earliest, latest)
  select backlog, next_attempt_at >> 18, count(*), min(next_attempt_at), max(next_attempt_at)
  from entry where lease_until is null group by 1, 2;

-- Pages of a backlog in the order of acceptance. Columns that are always null stand in both indexes because SQLite looks
-- them up in the table otherwise.
create index entry_backlog on entry (backlog, message, n, lease_until) where lease_until is null;
-- Tells the backlog along, so that what is due of each is counted in the index alone.
drop index entry_due;
create index entry_due on entry (domain, next_attempt_at, backlog, lease_until, held_reason)
  where lease_until is null and held_reason is null;
`
