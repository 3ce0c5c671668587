/**
 * Sender domains over a real store, a zone that can be changed, and a clock turned by hand.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../src/base/config.ts'
import { silentLog } from '../../src/base/log.ts'
import { createSeal } from '../../src/base/seal.ts'
import type { Zone } from '../../src/dns/zone.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { type Domains, type DomainsParts, type DomainView, openDomains } from '../../src/domains/service.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { manualClock } from '../support/manual-clock.ts'

export const spfValue = 'v=spf1 ip4:210.198.21.20 include:m01-ahd-sys.net ~all'

export async function openWorld(zone: Zone = {}, change: Partial<DomainsParts> = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'kitte-domains-'))
  const clock = manualClock()
  const opened = await openStore({
    dataDir,
    inlineContentBytes: 1024,
    minFreeBytes: 1,
    log: silentLog,
    clock,
    inProcess: true,
  })
  const { store } = opened
  const resolver = zoneResolver({ 'm01-ahd-sys.net': { TXT: ['v=spf1 ip4:210.198.21.0/24 ~all'] }, ...zone })
  const loaded = loadConfig([], {})
  // Short keys are made in a tenth of the time.
  const config = { ...loaded, signing: { ...loaded.signing, rsaBits: 1024 as const } }
  const parts = { store, resolver, seal: createSeal(randomBytes(32)), clock, log: silentLog, config, ...change }
  await createAccounts(store)
  return {
    ...{ store, resolver, clock, parts, config },
    domains: openDomains(parts) as Domains,
    /** Publishes every record that is asked for. */
    publish(view: DomainView) {
      for (const { name, value } of view.records) resolver.set(name, { TXT: [value] })
    },
    eventTypes: async (name: string) => (await store.events({ domain: name }, 1000)).map(event => event.type),
    async [Symbol.asyncDispose]() {
      await opened.close()
      await rm(dataDir, { recursive: true })
    },
  }
}

async function createAccounts(store: Store): Promise<void> {
  for (const id of ['a1', 'a2'])
    await store.createAccount({ id, name: id, createdAt: 0, limits: {}, unaligned: 'send', suspendedReason: null })
}
