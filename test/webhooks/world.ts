/**
 * Webhooks over a real store, with a zone of ours and a clock turned by hand; receivers are real.
 */
import assert from 'node:assert/strict'
import { loadConfig } from '../../src/base/config.ts'
import type { Fields, Log } from '../../src/base/log.ts'
import { createSeal } from '../../src/base/seal.ts'
import type { Resolver } from '../../src/dns/resolver.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import type { EventType } from '../../src/mail/event.ts'
import { openStore } from '../../src/store/open.ts'
import { openWebhooks, type WebhookDraft, type Webhooks } from '../../src/webhooks/service.ts'
import { senderDomain, temporaryFolder } from '../store/fixtures.ts'
import { manualClock } from '../support/manual-clock.ts'
import { patienceMs } from '../support/patience.ts'

export const second = 1000
export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

export interface WorldOptions {
  readonly allowPrivateAddresses?: boolean
  readonly requests?: number
  readonly resolver?: Resolver
}

export async function openWorld(options: WorldOptions = {}) {
  const folder = temporaryFolder()
  const clock = manualClock()
  const { webhooks: defaults } = loadConfig([], {})
  const config = {
    ...defaults,
    ipv6: true,
    // Changes of domains are noticed at once; days should not be turned in steps of a second.
    pollInterval: hour,
    requests: options.requests ?? defaults.requests,
    allowPrivateAddresses: options.allowPrivateAddresses ?? true,
  }
  const lines: string[] = []
  const log = rememberingLog(lines)
  const zone = zoneResolver({})
  let opened = await open()
  let webhooks = await serve()
  await opened.store.createDomain(senderDomain('ours.example', 'acme'), [])

  function open() {
    return openStore({ dataDir: folder.path, inlineContentBytes: 1024, minFreeBytes: 1, log, clock, inProcess: true })
  }

  function serve(): Promise<Webhooks> {
    const { store } = opened
    const seal = createSeal(Buffer.alloc(32, 7))
    const render = ({ at, ...event }: { at: number }) => ({ ...event, at: new Date(at).toISOString() })
    const resolver = options.resolver ?? zone
    return openWebhooks({ store, resolver, seal, clock, log, config, render, random: () => 0.5 })
  }

  return {
    ...{ clock, zone, lines, config },
    get webhooks() {
      return webhooks
    },
    get store() {
      return opened.store
    },
    add(url: string, draft: Partial<WebhookDraft> = {}) {
      return webhooks.create({ url, account: null, types: ['*'], terminalOnly: false, batch: 1, note: '', ...draft })
    },
    /** Writes events, and answers their seqs. */
    async happen(count: number, type: EventType = 'domain.published', account = 'acme'): Promise<number[]> {
      const { newest } = await opened.store.eventRange()
      const at = clock.now()
      const events = Array.from({ length: count }, () => ({ type, at, account, domain: 'ours.example', data: {} }))
      await opened.store.updateDomain('ours.example', {}, events)
      return events.map((_, n) => newest + n + 1)
    },
    /** Waits for the failure that comes next after so many, and turns the clock to the next try. */
    async afterFailure(id: string, failures: number): Promise<number> {
      await until(async () => (await webhooks.view(id)).progress.failures === failures)
      const { nextTryAt } = (await webhooks.view(id)).progress
      const waitMs = nextTryAt! - clock.now()
      await clock.advance(waitMs)
      return waitMs
    },
    /** As if the process had been stopped and started again. */
    async restart() {
      await webhooks.stop()
      await opened.close()
      opened = await open()
      webhooks = await serve()
    },
    async [Symbol.asyncDispose]() {
      const stopped = webhooks.stop()
      // Requests that nobody answers are given up after their grace.
      await clock.advance(minute)
      await stopped
      await opened.close()
      folder[Symbol.dispose]()
      assert.equal(clock.waiting, 0, 'no timer is left')
    },
  }
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, 'it never comes')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

function rememberingLog(lines: string[]): Log {
  const write = (fields: Fields, text: string) => void lines.push(`${text} ${JSON.stringify(fields)}`)
  const log: Log = { debug: write, info: write, warn: write, error: write, debugs: true, child: () => log }
  return log
}
