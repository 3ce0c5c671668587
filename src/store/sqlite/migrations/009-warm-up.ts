/**
 * Daily counts of what went out, warm-ups, and what an entry waits for when it is neither an answer nor a limit.
 */
export const warmUp = `
-- Per day of the configured time zone: of a sender domain to a receiver, or from a source address (receiver '').
create table volume (
  scope text not null,
  name text not null,
  day text not null,
  receiver text not null,
  delivered integer not null,
  deferred integer not null,
  bounced integer not null,
  complained integer not null,
  tls integer not null,
  one_click integer not null,
  primary key (scope, name, day, receiver)
) without rowid;
create index volume_day on volume (day);

create table warm_up (
  kind text not null,
  name text not null,
  data text not null,
  primary key (kind, name)
) without rowid;

-- Says something only while the entry waits without having been tried: 'warm-up domain example.jp'.
alter table entry add column waits_for text;
create index entry_waits on entry (waits_for) where waits_for is not null;
`
