/**
 * MTA-STS policies of recipient domains.
 */
export const stsPolicy = `
create table sts_policy (
  domain text primary key,
  data text not null,
  expires_at integer not null,
  used_at integer not null
) without rowid;
`
