/**
 * The events and fields of the delivery log as data: what each is called, what it means, an example.
 *
 * `delivery-log.ts` can write nothing that isn't listed here (its line type is made from these names), and the tables of
 * README.md are written from it, so log, reader and documentation can't disagree.
 */

export const logEvents = [
  ['accepted', 'A message was committed, synced and answered with 250. One line per message.'],
  ['refused', 'A client was answered with 4xx or 5xx instead of taking its command, recipient or message.'],
  ['warned', 'A message was accepted although something about it will hurt its delivery; `reason` says what.'],
  ['delivered', "The recipient's server took responsibility. One line per recipient."],
  ['deferred', 'An attempt failed for now; `nextAttemptAt` says when the next one is due.'],
  ['bounced', 'The recipient will not get the message: refused for good, or expired in the queue.'],
  ['cancelled', 'An operator took the recipient out of the queue.'],
  ['held', 'Queue entries were put on hold; `entries` says how many.'],
  ['released', 'Held queue entries may go again.'],
  ['retried', 'Queue entries were made due at once.'],
  ['rescheduled', 'Scheduled queue entries are sent at `releaseAt` instead; `entries` says how many.'],
  ['erased', "A recipient's address was taken out of `entries` messages on request; the line doesn't name it."],
  ['reported', 'A report (DSN) to the sender was queued; `message` is the report, `original` what it reports on.'],
  ['site-closed', 'A site gets no connections until `closedUntil`, because of `reply`.'],
  ['source-unusable', 'No connection can begin at a source address; the others of its pool take over for a while.'],
  ['warm-up-started', 'A warm-up begins; `cap` is the most that may go on that day.'],
  ['warm-up-advanced', 'Its next day allows more, for the last one was good.'],
  ['warm-up-paused', 'Its day had trouble, or somebody paused it; `reason` says which.'],
  ['warm-up-resumed', 'It goes on.'],
  ['warm-up-finished', 'Its last cap is behind it: nothing is limited any more.'],
  ['site-opened', 'A closed site gets connections again.'],
  ['tls-fallback', 'TLS with a host failed where it is optional; the attempt went on in plain text.'],
  ['auth-failed', 'A client gave a wrong username or password.'],
  ['connection-refused', 'A client was turned away before any command: too many connections, address blocked.'],
  ['connection-lost', 'A client vanished or ran into a deadline in the middle of a session.'],
  ['delivery-paused', "Nothing is sent because outcomes can't be written down; `reason` says why."],
  ['delivery-resumed', 'Outcomes can be written again.'],
  [
    'leases-reclaimed',
    'Attempts went on for longer than their lease, or died with their process: `entries` wait again and may go out twice.',
  ],
] as const

export type LogEvent = (typeof logEvents)[number][0]

/** Name, meaning, example. The order is that of the README table. */
export const logFields = [
  ['level', '`info`; `warn` for what an operator should look at.', 'info'],
  ['time', 'When the line was written, UTC.', '2026-01-15T03:00:00.000Z'],
  ['event', 'What happened; the table above.', 'delivered'],
  [
    'thread',
    'The thread that wrote it, `<host>/<number>`, which also holds the leases; absent: the main thread.',
    'relay/0',
  ],
  ['text', 'The same as a short sentence.', 'delivered to b@example.com: 250 2.0.0 ok'],
  ['message', "Kitte's message id, as printed in the 250 after DATA.", '01jhm3w5c0f8k2v6q9x7r1t4ab'],
  ['entry', 'The queue entry: message id and number of the recipient.', '01jhm3w5c0f8k2v6q9x7r1t4ab.0'],
  ['messageIdHeader', 'The Message-ID field of the message.', 'abc@crm.example.jp'],
  ['original', 'In `reported`: the message the report is about.', '01jhm3w5c0f8k2v6q9x7r1t4ab'],
  ['report', 'In `reported`: `failure`, `delay` or `success`.', 'failure'],
  ['account', 'The account the message belongs to.', '01jhm3w5c0acc0000000000000'],
  ['credential', 'The credential it was submitted with.', '01jhm3w5c0crd0000000000000'],
  ['username', 'The username a client gave, also when wrong.', 'crm'],
  ['senderDomain', 'Domain of the From address.', 'example.co.jp'],
  ['sender', 'Reverse-path as submitted; `<>` is the null reverse-path.', 'sales@example.co.jp'],
  ['from', 'The first address of the From field.', 'sales@example.co.jp'],
  ['recipient', 'The recipient the line is about. In `accepted` only when there is one.', 'b@example.com'],
  ['recipients', 'How many recipients the message has.', 1],
  ['priority', '`transactional` or `bulk`; absent: `normal`.', 'bulk'],
  ['releaseAt', 'In `accepted` and `rescheduled`: it is scheduled for then.', '2026-01-16T00:00:00.000Z'],
  ['entries', 'How many queue entries the line is about: changed by a command, not written, taken back.', 12],
  ['size', 'Octets of the message as stored.', 4821],
  [
    'tlsAsked',
    'What the sender asked for (RFC 8689): `required` by REQUIRETLS, `optional` by `TLS-Required: No`; absent: nothing.',
    'required',
  ],
  ['mode', 'Sending mode: `sender-only`, `own-smtp`, `spf`, `spf-dkim`.', 'spf-dkim'],
  ['modeReason', 'Why that mode applied.', 'spf and dkim are published'],
  ['signatures', 'DKIM signatures put on: selector and domain each.', ['20240125._domainkey.example.co.jp']],
  ['reversePath', 'Reverse-path used on the wire; `<>` is the null reverse-path.', 'sales@example.co.jp'],
  ['site', "MX hosts that serve the recipient's domain, or `smtp:host:port`.", 'mx1.example.com,mx2.example.com'],
  ['remoteMta', 'The host that answered.', 'mx1.example.com'],
  ['remoteIp', 'Its address.', '203.0.113.25'],
  ['sourceIp', 'The address we connected from.', '210.198.21.20'],
  [
    'tls',
    'TLS version, cipher and whether the certificate was verified; null: plain text.',
    'TLSv1.3 TLS_AES_256_GCM_SHA384 verified',
  ],
  ['reply', 'Code, enhanced status and text of the reply, or of what Kitte says in place of one.', '250 2.0.0 ok'],
  ['repliedBy', '`remote`: the other server said it. `relay`: Kitte says it.', 'remote'],
  ['class', 'Why it failed; `none` for a delivery.', 'none'],
  [
    'actor',
    'Who must act: customer-dns, sender-content, recipient, own-ip, remote, own-smtp, relay, nobody.',
    'nobody',
  ],
  ['attempt', 'Which try of this recipient it was, from 1.', 1],
  ['nextAttemptAt', 'When the next attempt is due.', '2026-01-15T03:02:04.000Z'],
  ['closedUntil', 'In `site-closed`: when the site opens again.', '2026-01-15T03:01:00.000Z'],
  [
    'inDoubt',
    'This attempt or an earlier one ended, by a lost connection or a crash, where the message may have been taken: it may come twice.',
    false,
  ],
  ['queuedMs', 'From acceptance to this line.', 1234],
  ['signMs', 'Signing.', 2],
  ['connectMs', 'Connecting, TLS and EHLO; 0 on a kept connection.', 48],
  ['sendMs', 'From MAIL to the last reply.', 61],
  ['totalMs', 'The whole attempt; in `accepted` from the final dot to the commit.', 113],
  ['client', 'Address of the submitting client.', '192.0.2.10'],
  ['ehlo', 'The name it gave.', 'crm.example.jp'],
  ['check', 'In `refused`: the check that refused.', 'sender-is-yours'],
  ['cap', 'In `warm-up-…`: the most recipients of that day; absent: no limit.', 50],
  ['reason', 'Why, in words or as a reason code.', 'held by an operator'],
] as const

export type LogField = (typeof logFields)[number][0]
