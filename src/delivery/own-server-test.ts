/**
 * Tries the settings of a sender's own SMTP server: connection, EHLO, TLS, login; no mail.
 *
 * Whoever registers such a server chooses where this relay connects to, so a test must be no way to look into networks:
 * private addresses are refused after the name was resolved, and the judged address is the one connected to; only an SMTP
 * server that answered EHLO is told apart from nothing at all: a closed or filtered port, silence and another protocol are
 * answered alike and after the same time, as are names that do not exist and names of private addresses; nothing that the
 * server said is passed on. Bounded in time, in number at once, and in number per account and hour. Never throws for what
 * the network does.
 */
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import { findAddresses } from '../dns/mx.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { OwnSmtp } from '../mail/account.ts'
import type { AccountId } from '../mail/ids.ts'
import { type BucketState, reserve } from '../policy/token-bucket.ts'
import { ownSpec } from './route.ts'
import type { SmtpTransportOptions } from './smtp-transport.ts'
import type { OpenResult, Transport } from './transport.ts'

export const ownServerFindings = [
  'works',
  'no-server',
  'no-tls',
  'certificate',
  'no-auth',
  'login-refused',
  'try-later',
  'not-tested',
] as const
export type OwnServerFinding = (typeof ownServerFindings)[number]

export interface OwnServerTestParts {
  readonly resolver: Resolver
  readonly clock: Clock
  readonly log: Log
  readonly config: Pick<Config, 'hostname' | 'delivery' | 'ownSmtp'>
  readonly transport?: Transport
}

type Settings = Omit<OwnSmtp, 'sealedPassword'>

export interface OwnServerTester {
  /** `not-tested`: too many lately, or at once. */
  test(account: AccountId, settings: Settings, password: string): Promise<OwnServerFinding>
}

/** All accounts together. */
const testsAtOnce = 10
/** Accounts whose tests are counted; the one that was counted first is forgotten beyond. */
const manyAccounts = 10_000

export function openOwnServerTester(parts: OwnServerTestParts): OwnServerTester {
  const { clock, config } = parts
  const counted = new Map<AccountId, BucketState>()
  let running = 0

  function mayTest(account: AccountId): boolean {
    if (running >= testsAtOnce) return false
    const now = clock.now()
    const { slotAt, state } = reserve(counted.get(account) ?? null, { perHour: config.ownSmtp.testsPerHour }, now)
    if (slotAt > now) return false
    if (counted.size >= manyAccounts) counted.delete(counted.keys().next().value!)
    counted.set(account, state)
    return true
  }

  async function tryWithin(
    settings: Settings,
    password: string,
    addresses: readonly string[],
  ): Promise<OwnServerFinding> {
    running++
    const ends = new AbortController()
    const deadline = clock.sleep(config.ownSmtp.testTimeout, ends.signal)
    // Counts until the last connection is gone, also when the answer was given before.
    const tried = tryAddresses(settings, password, addresses, parts).finally(() => running--)
    const found = await Promise.race([tried, deadline.then(() => 'no-server' as const)])
    if (found === 'no-server' && !config.delivery.allowPrivateAddresses) await deadline
    ends.abort()
    return found
  }

  return {
    async test(account, settings, password) {
      if (!mayTest(account)) return 'not-tested'
      const found = await findAddresses(parts.resolver, settings.host, { ...config.delivery, maxHosts: 1 })
      // At once for every name that leads nowhere: that there is none, and that it leads inside, look alike.
      return 'failure' in found ? 'no-server' : tryWithin(settings, password, found.addresses)
    },
  }
}

/** Two addresses at most: an IPv6 one that leads nowhere must not hide the IPv4 one. */
const addressesTried = 2

async function tryAddresses(
  settings: Settings,
  password: string,
  addresses: readonly string[],
  { clock, log, config, transport }: OwnServerTestParts,
): Promise<OwnServerFinding> {
  const { open } = transport ?? (await loadTransport({ clock, log }))
  const timeoutMs = config.ownSmtp.testTimeout / addressesTried
  const limits = { connectTimeoutMs: timeoutMs, commandTimeoutMs: timeoutMs, dotTimeoutMs: timeoutMs }
  for (const address of addresses.slice(0, addressesTried)) {
    const spec = ownSpec(settings, password, config, { host: settings.host, address })
    const opened = await open(spec, limits)
    if ('connection' in opened) void opened.connection.quit()
    const finding = findingOf(opened, spec.implicitTls)
    if (finding !== 'no-server') return finding
  }
  return 'no-server'
}

/** Loaded only when it is wanted: the main thread has no other use for the library. */
async function loadTransport(options: SmtpTransportOptions): Promise<Transport> {
  const { createSmtpTransport } = await import('./smtp-transport.ts')
  return createSmtpTransport(options)
}

/** What a certificate is refused for, as Node names it (OpenSSL's X509_V_ERR_…). */
const certificateTrouble = /CERT|ALTNAME|SELF_SIGNED|ISSUER|VERIFY/

function findingOf(opened: OpenResult, implicitTls: boolean): OwnServerFinding {
  if ('connection' in opened) return 'works'
  if ('reply' in opened) {
    if (opened.phase !== 'auth') return 'no-server'
    return opened.reply.code >= 500 ? 'login-refused' : 'try-later'
  }
  const { phase, kind, detail } = opened.failure
  if (phase === 'auth') return kind === 'unsupported' ? 'no-auth' : 'try-later'
  if (phase !== 'starttls' || kind !== 'tls') return 'no-server'
  if (certificateTrouble.test(detail)) return 'certificate'
  // A handshake that fails from the first byte may be any other protocol.
  return implicitTls ? 'no-server' : 'no-tls'
}
