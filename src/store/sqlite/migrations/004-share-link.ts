/**
 * Share links of sender domains, found by the hash of their token; the token stands nowhere.
 */
export const shareLink = `
create table share_link (
  id text primary key,
  domain text not null,
  token_hash text not null unique,
  expires_at integer not null,
  revoked_at integer,
  data text not null
) without rowid;
create index share_link_domain on share_link (domain, id);
`
