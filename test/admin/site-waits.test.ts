/**
 * What a site makes its mail wait for, as people read it.
 */
import assert from 'node:assert/strict'
import { siteWaitOf } from '../../src/admin/site-waits.ts'
import type { SiteState } from '../../src/delivery/throttle.ts'

const zone = 'Asia/Tokyo'
const at = Date.UTC(2026, 0, 15, 3, 0, 0)
const rule = { suffix: '', connections: 20, messagesPerConnection: 100, perMinute: null }
const said = { reply: '421 4.7.0 slow down', class: 'rate', at }
const closing = { ...said, times: 1, host: 'mx.example' }

function state(change: Partial<SiteState> = {}, limits: Partial<SiteState['limits']> = {}): SiteState {
  const { suffix, ...numbers } = change.rule ?? rule
  return {
    ...{ site: 'mx.example', running: 0, waiting: 3, closedUntil: null, closing: null, nextSlotAt: null, free: 1 },
    ...{ rule, senders: [], limits: { ...numbers, shared: null, slowStart: false, adapted: null, ...limits } },
    ...change,
  }
}

const adapted = { ...said, until: at + 86_400_000 }
const slow = { nextSlotAt: at + 70_000 }

const table: readonly (readonly [what: string, SiteState, limit: string | null, ...texts: RegExp[]])[] = [
  ['lets mail go', state(), null],
  [
    'is closed',
    state({ closedUntil: at + 60_000, closing }),
    'closed',
    /^Nothing goes to mx\.example until 2026-01-15 12:01:00 because of what came at 2026-01-15 12:00:00: 421 4\.7\.0 slow down\. Then/,
    /^宛先サーバー（mx\.example）への送信を2026-01-15 12:01:00まで休止しています。2026-01-15 12:00:00に.*：421 4\.7\.0 slow down。/,
  ],
  [
    'is closed again and again',
    state({ closedUntil: at + 60_000, closing: { ...closing, times: 4, class: 'none' } }),
    'closed',
    /12:00:00, 4 times in a row: 421/,
    /（続けて4回目）/,
  ],
  [
    'is tried after that',
    state({ closing, free: 0, running: 1 }),
    'trial',
    /One connection tries it now/,
    /1接続で試して/,
  ],
  [
    'gets a lower rate',
    state(slow, { perMinute: 42, adapted }),
    'per-minute',
    /waits for the rate of mx\.example: 42 a minute now, any number by its rule\. Lowered at 2026-01-15 12:00:00 because of: 421 4\.7\.0 slow down\./,
    /現在毎分42通、規則では制限なし.*2026-01-15 12:00:00の次の応答により下げました：421 4\.7\.0 slow down。.*次に送れるのは2026-01-15 12:01:10です/,
  ],
  [
    'gets the rate of its rule',
    state({ ...slow, rule: { ...rule, perMinute: 60 } }, { adapted }),
    'per-minute',
    /60 a minute now, 60 by its rule\. The next one may go at 2026-01-15 12:01:10\. 3 entries/,
    /現在毎分60通、規則では60通）により待っています。次に/,
  ],
  [
    'shares fewer connections with others of its provider',
    state({ free: 0 }, { connections: 5, adapted, shared: 'microsoft' }),
    'connections',
    /connections of microsoft, which all its sites share \(here mx\.example\): 5 at once now, 20 by its rule\. Lowered at/,
    /^microsoft（全宛先サーバー共通。今回は mx\.example）の同時接続数の上限（現在5接続、規則では20接続）/,
  ],
  [
    'is hardly known',
    state({ free: 0 }, { connections: 2, slowStart: true }),
    'connections',
    /2 at once now, 20 by its rule\. Nothing is known of it yet/,
    /まだ実績がないため/,
  ],
]

describe('what is said of mail whose site', () => {
  for (const [what, of, limit, en, ja] of table)
    it(what, () => {
      const found = siteWaitOf(of, zone)
      assert.equal(found?.limit ?? null, limit)
      if (en) assert.match(found!.message.en, en)
      if (ja) assert.match(found!.message.ja, ja)
    })

  it('was lowered names the limit, the rule, the answer and the next moment', () => {
    const { message, ...facts } = siteWaitOf(state(slow, { perMinute: 42, adapted }), zone)!
    assert.deepEqual(facts, {
      ...{ site: 'mx.example', shared: null, limit: 'per-minute', now: 42, rule: null, times: 0, before: 3 },
      ...{ since: '2026-01-15T03:00:00.000Z', reply: said.reply, class: 'rate', mayGoAt: '2026-01-15T03:01:10.000Z' },
    })
    assert.ok(message.ja.length > 0)
  })
})
