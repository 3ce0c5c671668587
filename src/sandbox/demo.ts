/**
 * The customer who is there at the first start: an account, a credential, and a sender domain with all records published.
 *
 * What somebody changes later stays changed; only the password is made to fit the one on the screen.
 */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import { newId } from '../base/ids.ts'
import { hashPassword, newPassword, verifyPassword } from '../base/password.ts'
import type { Domains } from '../domains/service.ts'
import type { AccountId, DomainName } from '../mail/ids.ts'
import type { Store } from '../store/store.ts'
import { type Publisher, publishRecords } from './publish.ts'
import type { ZoneBook } from './zone-book.ts'

export interface Demo {
  /** Name of the account. */
  readonly account: string
  readonly username: string
  readonly password: string
  readonly domain: DomainName
}

export interface DemoParts {
  readonly config: Pick<Config, 'dataDir'>
  readonly store: Store
  readonly domains: Domains
  readonly clock: Clock
  readonly publisher: Publisher
  readonly book: ZoneBook
}

const accountName = 'demo'
const username = 'demo'
/** RFC 2606 §2: belongs to nobody. */
const domain = 'customer.example'

export async function seedDemo(parts: DemoParts): Promise<Demo> {
  const password = keptPassword(join(parts.config.dataDir, 'sandbox-password'))
  const account = await seedAccount(parts)
  await seedCredential(parts, account, password)
  await seedDomain(parts, account)
  return { account: accountName, username, password, domain }
}

/** The screen shows it at every start, so it is kept; it opens nothing but this sandbox. */
function keptPassword(file: string): string {
  if (!existsSync(file)) writeFileSync(file, `${newPassword()}\n`, { mode: 0o600, flush: true })
  chmodSync(file, 0o600)
  return readFileSync(file, 'utf8').trim()
}

async function seedAccount({ store, clock }: DemoParts): Promise<AccountId> {
  const now = clock.now()
  const id = await store.initSetting('sandbox-account', newId(now))
  const plain = { createdAt: now, limits: {}, unaligned: 'warn', suspendedReason: null } as const
  if (!(await store.account(id))) await store.createAccount({ id, name: accountName, ...plain })
  return id
}

async function seedCredential({ store, clock }: DemoParts, account: AccountId, password: string): Promise<void> {
  const existing = await store.credentialByUsername(username)
  if (existing && (await verifyPassword(password, existing.passwordHash))) return
  const passwordHash = await hashPassword(password)
  if (existing) return void (await store.updateCredential(existing.id, { passwordHash }))
  const now = clock.now()
  const plain = { scope: 'account', limits: {}, createdAt: now, revokedAt: null } as const
  await store.createCredential({ id: newId(now), account, username, passwordHash, ...plain })
}

/** Published with p=reject, so that dmarc=pass means something. */
async function seedDomain({ store, domains, publisher, book }: DemoParts, account: AccountId): Promise<void> {
  if (await store.domain(domain, { archived: true })) return
  await domains.register({ name: domain, account })
  await publisher.publish(domain)
  publishRecords(book, [{ type: 'TXT', name: `_dmarc.${domain}`, value: 'v=DMARC1; p=reject' }])
  await domains.verify(domain)
}
