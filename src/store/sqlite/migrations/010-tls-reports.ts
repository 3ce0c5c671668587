/**
 * TLS sessions counted for the reports of RFC 8460, and what became of the reports.
 *
 * `policy` and `failure` are JSON and part of the key, so that counting is one upsert; an empty failure is success.
 */
export const tlsReports = `
create table tls_count (
  day text not null,
  domain text not null,
  policy text not null,
  failure text not null,
  sessions integer not null,
  primary key (day, domain, policy, failure)
) without rowid;
create index tls_count_domain on tls_count (domain, day);

create table tls_report (
  day text not null,
  domain text not null,
  next_attempt_at integer,
  data text not null,
  primary key (day, domain)
) without rowid;
create index tls_report_due on tls_report (next_attempt_at) where next_attempt_at is not null;
`
