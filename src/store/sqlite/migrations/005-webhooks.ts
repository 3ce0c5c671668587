/**
 * Webhooks, and up to which event history was deleted, so that one that is behind can be told what it missed.
 */
export const webhooks = `
create table webhook (
  id text primary key,
  account text,
  data text not null,
  progress text not null
) without rowid;
create index webhook_account on webhook (account) where account is not null;

create table event_purge (through integer not null);
insert into event_purge values (0);
`
