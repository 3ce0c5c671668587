import assert from 'node:assert/strict'
import { keyMoves } from '../../src/domains/key-states.ts'
import type { DkimKey } from '../../src/mail/sender-domain.ts'
import { keyWith } from './domain-with.ts'

const day = 86_400_000
const now = 100 * day

/** `name:state:createdAt`, `+` behind: its record is published. Ed25519 when the name begins with e. */
function keysOf(text: string): { keys: DkimKey[]; seen: Set<string> } {
  const seen = new Set<string>()
  const keys = text.split(' ').map((word, i) => {
    const [selector = '', state = ''] = word.replace('+', '').split(':')
    if (word.endsWith('+')) seen.add(selector)
    const algorithm = selector.startsWith('e') ? 'ed25519' : 'rsa'
    return keyWith({ selector, state: state as DkimKey['state'], algorithm, createdAt: i, stateSince: now - i * day })
  })
  return { keys, seen }
}

describe('the keys of a domain', () => {
  const cases: [sentence: string, keys: string, moves: string][] = [
    ['wait while their record is not seen', 'a:pending', ''],
    ['sign once it is', 'a:pending+', 'a:active'],
    ['stay when nothing changed', 'a:active+', ''],
    ['stay when their record is lost', 'a:active', ''],
    ['give way to a newer published one, which signs first', 'a:active+ b:pending+', 'b:active a:retiring'],
    ['do not give way to a newer one that is not seen', 'a:active+ b:pending', ''],
    ['do not wait behind a newer one that signs', 'a:pending b:active+', 'a:retired'],
    ['are settled when two sign after a crash', 'a:active+ b:active+', 'a:retiring'],
    ['of another kind do not sign alone', 'e1:pending+', ''],
    ['of another kind sign beside an RSA key', 'a:active+ e1:pending+', 'e1:active'],
    ['of both kinds begin together', 'a:pending+ e1:pending+', 'a:active e1:active'],
    ['of another kind have their own succession', 'a:active+ e1:active+ e2:pending+', 'e2:active e1:retiring'],
    [
      'retire when no mail can be under way any more',
      'x:active+ x1:retired x2:retired x3:retired a:retiring',
      'a:retired',
    ],
    ['do not retire earlier', 'a:active+ x1:retired x2:retired b:retiring', ''],
  ]
  for (const [sentence, text, expected] of cases) {
    it(sentence, () => {
      const { keys, seen } = keysOf(text)
      const moves = keyMoves(keys, key => seen.has(key.selector), 4 * day, now)
      assert.equal(moves.map(({ key, to }) => `${key.selector}:${to}`).join(' '), expected)
    })
  }
})
