/**
 * Answers of API requests that can be asked for again by their Idempotency-Key, and open claims of sender domains.
 *
 * What an answer says stands sealed, since it may hold a password.
 */
export const requestsAndClaims = `
create table request (
  key text primary key,
  expires_at integer not null,
  sealed text not null
) without rowid;
create index request_expiry on request (expires_at);

create table domain_claim (
  domain text not null,
  account text not null,
  data text not null,
  primary key (domain, account)
) without rowid;
`
