import assert from 'node:assert/strict'
import { authorityFaults, serverFaults, serverStates } from '../../src/domains/server-texts.ts'
import { whoSays } from '../../src/domains/who-says.ts'
import type { Check, ServerAnswer } from '../../src/mail/sender-domain.ts'

function answer(change: Partial<ServerAnswer>): ServerAnswer {
  const place = { server: 'ns1.example', address: '192.0.2.1', name: 'ours.example' }
  return { ...place, state: 'published', reason: 'ok', found: [], ttl: 300, ...change }
}

function check(change: Partial<Check>): Check {
  const base = { purpose: 'spf', name: 'ours.example', state: 'not-published', reason: 'absent' } as const
  return { ...base, found: [], detail: {}, checkedAt: 0, ...change }
}

const absent = (ttl: number, server = 'ns1.example') =>
  answer({ server, state: 'not-published', reason: 'absent', ttl })

describe('who says what about a record', () => {
  it('is nobody before the first check, and the resolvers before authoritative servers were asked', () => {
    assert.deepEqual(whoSays(null), { servers: [], resolvers: [], asked: null, visibleAt: null, visibleWithin: null })
    assert.equal(whoSays(check({})).asked, authorityFaults['not-asked'])
  })

  it('is told with every fault in both languages', () => {
    for (const [reason, message] of Object.entries(serverFaults)) {
      const { servers, asked } = whoSays(
        check({ servers: [answer({ state: 'dns-error', reason })], authorityFault: 'none-answers' }),
      )
      assert.deepEqual(servers[0]!.message, message)
      assert.equal(asked, authorityFaults['none-answers'])
    }
    for (const text of [serverFaults, serverStates, authorityFaults].flatMap(table => Object.values(table))) {
      assert.match(text.ja, /[ぁ-ん]/)
      assert.match(text.en, /^[\x20-\x7e]+$/)
    }
  })

  it('counts servers, not questions', () => {
    const servers = [answer({}), answer({ name: 'k.theirs.example' }), answer({ server: 'ns2.example' })]
    assert.equal(whoSays(check({ servers })).asked!.en, 'Each of 2 name servers was asked, and the resolvers.')
    assert.equal(
      whoSays(check({ servers: [answer({})] })).asked!.en,
      'Each of 1 name server was asked, and the resolvers.',
    )
  })

  it('tells how soon a record would be seen: what anybody may remember longest, three hours at most', () => {
    const within = (change: Partial<Check>) => whoSays(check(change)).visibleWithin
    assert.equal(within({ servers: [absent(900), absent(60, 'ns2.example')], resolvers: [absent(300)] }), 900)
    assert.equal(within({ resolvers: [absent(86_400)] }), 10_800)
    assert.equal(within({ servers: [answer({ state: 'not-published', found: ['wrong'], ttl: 86_400 })] }), 86_400)
    assert.equal(within({ servers: [answer({ state: 'dns-error', reason: 'lame', ttl: 0 })] }), null)
    assert.equal(within({ state: 'published', reason: 'ok', resolvers: [absent(900)] }), null)
    assert.equal(within({ reason: 'not-yet-visible', resolvers: [absent(900)] }), null)
  })
})
