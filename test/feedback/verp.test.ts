import assert from 'node:assert/strict'
import fc from 'fast-check'
import { newId } from '../../src/base/ids.ts'
import { createSeal } from '../../src/base/seal.ts'
import { readVerp, verpAddress, verpKeyOf } from '../../src/feedback/verp.ts'

const key = Buffer.alloc(32, 7)
const bounceHost = 'bounce.relay.example.jp'
const message = newId(Date.UTC(2026, 0, 15))

describe('a signed reverse-path', () => {
  it('leads back to message and entry', () => {
    const entry = `${message}.12`
    const address = verpAddress({ message, entry, bounceHost, key })
    assert.deepEqual(readVerp(address, key), { message, entry })
  })

  it('says that it stands for the whole message when several recipients shared it', () => {
    assert.deepEqual(readVerp(verpAddress({ message, bounceHost, key }), key), { message, entry: null })
  })

  it('fits into a local part, with the longest recipient number too', () => {
    const address = verpAddress({ message, entry: `${message}.999999`, bounceHost, key })
    assert.ok(address.indexOf('@') <= 64, address)
    assert.match(address, /^[a-z0-9-]+@bounce\.relay\.example\.jp$/)
  })

  it('survives mail systems that change the case of letters', () => {
    const entry = `${message}.0`
    const address = verpAddress({ message, entry, bounceHost: 'Bounce.Relay.example.jp', key })
    assert.deepEqual(readVerp(address.toUpperCase(), key), { message, entry })
  })

  it('is the same for the same entry and differs between entries, messages, hosts and keys', () => {
    const make = (given: object) => verpAddress({ message, entry: `${message}.0`, bounceHost, key, ...given })
    const others = [
      { entry: `${message}.1` },
      { entry: null },
      { bounceHost: 'b.example' },
      { key: Buffer.alloc(32, 8) },
    ]
    assert.equal(make({}), make({}))
    for (const other of others) assert.notEqual(make(other), make({}))
  })

  it('is refused after any change of one character, 10,000 of them', () => {
    const entry = `${message}.3`
    const address = verpAddress({ message, entry, bounceHost, key })
    const characters = 'abcdefghijklmnopqrstuvwxyz0123456789-.@+=_ \u0000é'
    const mutation = fc.record({
      at: fc.nat(address.length - 1),
      how: fc.constantFrom('replace', 'insert', 'delete', 'swap', 'cut'),
      character: fc.constantFrom(...characters),
    })
    fc.assert(
      fc.property(mutation, change => {
        const altered = mutate(address, change)
        fc.pre(altered.toLowerCase() !== address)
        assert.equal(readVerp(altered, key), null, altered)
      }),
      { numRuns: 10_000 },
    )
  })

  it('is refused when made with another key, and when it is no such address at all', () => {
    const foreign = verpAddress({ message, entry: `${message}.0`, bounceHost, key: Buffer.alloc(32, 8) })
    for (const address of [foreign, '', '@', 'b-@x', 'sales@example.jp', 'b-1-0-0000000000000000@x', 'b-'.repeat(5000)])
      assert.equal(readVerp(address, key), null)
  })

  it('is not made for an entry of another message or an id that could not be read back', () => {
    assert.throws(() => verpAddress({ message, entry: `${newId(1)}.0`, bounceHost, key }), RangeError)
    assert.throws(() => verpAddress({ message: 'a b', bounceHost, key }), RangeError)
    assert.throws(() => verpAddress({ message: 'a'.repeat(60), bounceHost, key }), RangeError)
  })
})

describe('the key of signed reverse-paths', () => {
  it('is made once, kept sealed, and the same afterwards', async () => {
    const settings = new Map<string, string>()
    const store = {
      setting: async (name: string) => settings.get(name) ?? null,
      setSetting: async (name: string, value: string) => void settings.set(name, value),
      async initSetting(name: string, value: string) {
        if (!settings.has(name)) settings.set(name, value)
        return settings.get(name)!
      },
    }
    const seal = createSeal(Buffer.alloc(32, 9))
    const first = await verpKeyOf({ store, seal })
    assert.equal(first.length, 32)
    assert.deepEqual(await verpKeyOf({ store, seal }), first)
    assert.ok(![...settings.values()].some(value => value.includes(first.toString('base64'))))
  })
})

function mutate(text: string, { at, how, character }: { at: number; how: string; character: string }): string {
  const [before, here, after] = [text.slice(0, at), text[at]!, text.slice(at + 1)]
  if (how === 'replace') return before + character + after
  if (how === 'insert') return before + character + here + after
  if (how === 'delete') return before + after
  if (how === 'swap') return before + after.slice(0, 1) + here + after.slice(1)
  return before
}
