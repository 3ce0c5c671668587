/**
 * The configuration's shape: every key and the kind of value it takes.
 */
import { z } from 'zod'
import { tlsLevels } from '../mail/tls-level.ts'
import { classificationRules } from './config-classification.ts'
import {
  count,
  dnsServer,
  domain,
  duration,
  host,
  ip,
  jitter,
  label,
  listenPort,
  mailbox,
  mechanism,
  mend,
  network,
  pemFile,
  port,
  publicUrl,
  share,
  timeZone,
  waits,
  yesNo,
} from './config-values.ts'

/** The file's shape; `config/default.yaml` says what each key means and why it has its default. */
export const configSchema = z.strictObject({
  hostname: domain,
  dataDir: z.string(mend('write a folder')).min(1, mend('write a folder')),
  timeZone,
  log: z.strictObject({
    level: z.enum(['debug', 'info', 'warn', 'error'], mend('write debug, info, warn or error')),
    stdout: yesNo,
    file: yesNo,
    rotateMegabytes: count,
    keepFiles: count,
  }),
  submission: z.strictObject({
    listeners: z
      .array(
        z.strictObject({
          host,
          port: listenPort,
          tls: z.enum(['starttls', 'implicit', 'none'], mend('write starttls, implicit or none')),
        }),
        mend('write a list of { host, port, tls }'),
      )
      .min(1, mend('name at least one listener: { host, port, tls }')),
    tls: z.strictObject({ keyFile: pemFile, certFile: pemFile }),
    requireTlsForAuth: yesNo,
    trustedNetworks: z.array(
      z.strictObject({ network, credential: z.string(mend('write the username of a credential')) }),
      mend('write a list of { network, credential }'),
    ),
    maxMessageBytes: count,
    maxRecipients: count,
    maxHeaderFieldBytes: count,
    maxHeaderBytes: count,
    maxReceivedFields: count,
    maxFutureRelease: duration,
    listMailIsBulk: yesNo,
    tlsRequiredNo: z.enum(['honour', 'ignore'], mend('write honour or ignore')),
    maxConnections: count,
    maxConnectionsPerAddress: count,
    commandTimeout: duration,
    dataTimeout: duration,
    dataMinimumRate: count,
    sessionTimeout: duration,
    authFailureDelay: duration,
    maxAuthFailures: count,
    maxAuthFailuresPerAddress: count,
  }),
  http: z.strictObject({
    host,
    port: listenPort,
    publicUrl,
    maxBodyBytes: count,
    keepAnswers: duration,
    metricsSeries: count,
  }),
  dns: z.strictObject({
    servers: z.array(dnsServer, mend('write a list of resolvers')),
    timeout: duration,
    cacheEntries: count,
    cacheMaxAge: duration,
    validating: z.union([z.literal('auto'), yesNo], mend('write true, false or auto')),
    askAuthorities: yesNo,
    allowPrivateAuthorities: yesNo,
    authorityPort: port,
  }),
  delivery: z.strictObject({
    port,
    allowPrivateAddresses: yesNo,
    workers: z.union([z.literal('auto'), count], mend('write auto or a whole number of at least 1')),
    sourceIpv4: ip.nullable(),
    sourceIpv6: ip.nullable(),
    ipv6: yesNo,
    maxAttempts: count,
    connectTimeout: duration,
    commandTimeout: duration,
    dotTimeout: duration,
    maxHosts: count,
    maxAddressesPerHost: count,
    idleConnection: duration,
  }),
  tls: z.strictObject({ dane: yesNo, mtaSts: yesNo, mtaStsTimeout: duration, mtaStsPort: port }),
  pools: z.array(
    z.strictObject({
      name: label,
      sources: z
        .array(z.strictObject({ ip, ehlo: domain }), mend('write a list of { ip, ehlo }'))
        .min(1, mend('name at least one source: { ip, ehlo }')),
    }),
    mend('write a list of { name, sources: [{ ip, ehlo }] }'),
  ),
  warmUp: z.strictObject({
    plans: z.array(
      z.strictObject({ name: label, caps: z.array(count, mend('write a list of numbers')).min(1, mend('name a cap')) }),
      mend('write a list of { name, caps }'),
    ),
    minimumUse: share,
    sample: count,
    deferredShare: share,
    bouncedShare: share,
    complainedShare: share,
  }),
  sites: z.array(
    z.strictObject({
      suffix: z.string(mend('write a suffix of MX host names, or ""')),
      connections: count,
      messagesPerConnection: count,
      perMinute: count.nullable(),
      tls: z.enum(tlsLevels, mend('write opportunistic, required or verified')).optional(),
      /** In log and API; for hosts of a provider that Kitte knows: its name. */
      name: z.string(mend('write a name such as gmail')).min(1, mend('write a name such as gmail')).optional(),
      /** All sites that it fits have these limits together. */
      shared: yesNo.optional(),
    }),
    mend('write a list of { suffix, connections, messagesPerConnection, perMinute }'),
  ),
  ownSmtp: z.strictObject({
    connections: count,
    messagesPerConnection: count,
    perMinute: count.nullable(),
    ports: z.array(port, mend('write a list of ports')).min(1, mend('name at least one port')),
    testTimeout: duration,
    testsPerHour: count,
  }),
  classification: z.strictObject({ rules: classificationRules }),
  queue: z.strictObject({
    expireAfter: duration,
    retryAfter: waits,
    retryJitter: jitter,
    delayNoticeAfter: duration,
    siteClosed: duration,
    siteClosedMaximum: duration,
    lease: duration,
    keepHistory: duration,
  }),
  store: z.strictObject({ inlineContentBytes: count, minFreeBytes: count }),
  signing: z.strictObject({
    rsaBits: z.union([z.literal(1024), z.literal(2048)], mend('write 2048, or 1024 for panels that can hold no more')),
    rotateAfter: z.union([z.literal('off'), duration], mend('write off, or a duration such as 90d')),
  }),
  spf: z.strictObject({
    mechanisms: z.array(mechanism, mend('write a list of SPF mechanisms')).min(1, mend('name at least one mechanism')),
    all: z.enum(['~all', '-all', '?all'], mend('write "~all", "-all" or "?all"')),
    sendingIps: z.array(ip, mend('write a list of IP addresses')),
    acceptHardFail: yesNo,
  }),
  relayDomain: z.strictObject({ name: domain, bounceHost: domain }),
  domains: z.strictObject({
    checkFirst: duration,
    checkSlowest: duration,
    checkPublished: duration,
    lostGrace: duration,
    keepArchived: duration,
    shareLink: duration,
    claimExpires: duration,
    returnPathHost: label,
    trackingHost: label,
    trackingTarget: domain.nullable(),
  }),
  webhooks: z.strictObject({
    allowPrivateAddresses: yesNo,
    timeout: duration,
    retryAfter: waits,
    retryJitter: jitter,
    requests: count,
    pollInterval: duration,
    secretOverlap: duration,
  }),
  tlsReports: z.strictObject({
    enabled: yesNo,
    organizationName: z.string(mend('write a name, or null')).min(1, mend('write a name, or null')).nullable(),
    contact: mailbox.nullable(),
    maxDelay: duration,
    retryAfter: waits,
    timeout: duration,
    maxDestinations: count,
    keep: duration,
  }),
})

export type Config = z.output<typeof configSchema>
