/**
 * Suppressions, the counts of them by account and reason, and bounces that don't suppress yet.
 *
 * Triggers count, so that nothing that changes the table can forget to. The index of events is partial: it costs other
 * events nothing but a comparison, and lets `kitte erase` find what has no message.
 */
export const suppressions = `
create table suppression (
  -- '': of all accounts.
  account text not null,
  -- Lower case.
  address text not null,
  domain text not null,
  reason text not null,
  class text,
  created_at integer not null,
  expires_at integer,
  note text not null,
  -- SuppressionEvidence as JSON.
  evidence text,
  primary key (account, address)
) without rowid;
create index suppression_address on suppression (address);
create index suppression_expires on suppression (expires_at) where expires_at is not null;

create table suppression_count (
  account text not null,
  reason text not null,
  count integer not null,
  primary key (account, reason)
) without rowid;
create trigger suppression_added after insert on suppression begin
  insert into suppression_count (account, reason, count) values (new.account, new.reason, 1)
    on conflict (account, reason) do update set count = count + 1;
end;
create trigger suppression_removed after delete on suppression begin
  update suppression_count set count = count - 1 where account = old.account and reason = old.reason;
end;

-- Hard bounces of recipients that are suppressed only after several.
create table hard_bounce (
  account text not null,
  address text not null,
  count integer not null,
  -- Counted anew then.
  until integer not null,
  primary key (account, address)
) without rowid;
create index hard_bounce_until on hard_bounce (until);

create index event_suppression on event (recipient) where type in ('suppression.added', 'suppression.removed');
`
