import assert from 'node:assert/strict'
import { AUTHENTIC_DATA } from 'dns-packet'
import { cachedResolver } from '../../src/dns/cached-resolver.ts'
import { openResolver } from '../../src/dns/open.ts'
import { systemResolver } from '../../src/dns/system-resolver.ts'
import { trustsValidation } from '../../src/dns/validating.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { steadyClock } from '../support/steady-clock.ts'
import { startDnsServer } from './dns-server.ts'

const digest = Buffer.alloc(32, 7)
const nxdomain = 3

describe('a validating resolver', () => {
  it('asks whether the answer was validated, and says what it was told', async () => {
    const askedFor: boolean[] = []
    await using dns = await startDnsServer(({ name, type }, _by, query) => {
      askedFor.push(query.flag_ad)
      const flags = name === 'secure.example' ? AUTHENTIC_DATA : 0
      return { flags, answers: [{ type, name, ttl: 60, data: '192.0.2.1' }] }
    })
    for (const [validating, secure, insecure] of [
      [true, true, false],
      [false, undefined, undefined],
    ] as const) {
      const resolver = systemResolver({ servers: [dns.server], timeoutMs: 2000, clock: steadyClock, validating })
      assert.equal((await resolver.a('secure.example')).secure, secure)
      assert.equal((await resolver.a('plain.example')).secure, insecure)
      assert.equal(resolver.validating, validating)
      resolver.close()
    }
    assert.deepEqual(askedFor, [true, true, false, false])
  })

  it('vouches for absence as well', async () => {
    await using dns = await startDnsServer(() => ({ flags: AUTHENTIC_DATA | nxdomain }))
    const resolver = systemResolver({ servers: [dns.server], timeoutMs: 2000, clock: steadyClock, validating: true })
    const { status, secure } = await resolver.tlsa('_25._tcp.mx.example')
    assert.deepEqual([status, secure], ['nxdomain', true])
    resolver.close()
  })

  it('vouches for a chain only when all of it was validated, and says where it led', async () => {
    await using dns = await startDnsServer(({ name }) => {
      const alias = { type: 'CNAME', name: 'mx.example', ttl: 60, data: 'host.elsewhere.example' }
      if (name === 'mx.example') return { flags: AUTHENTIC_DATA, answers: [alias] }
      return { answers: [{ type: 'A', name, ttl: 60, data: '192.0.2.1' }] }
    })
    const resolver = systemResolver({ servers: [dns.server], timeoutMs: 2000, clock: steadyClock, validating: true })
    const answer = await resolver.a('mx.example')
    assert.deepEqual([answer.status, answer.secure, answer.end], ['found', false, 'host.elsewhere.example'])
    resolver.close()
  })

  it('reads TLSA records, through the cache too', async () => {
    await using dns = await startDnsServer(({ name, type }) => ({
      flags: AUTHENTIC_DATA,
      answers: [{ type, name, ttl: 60, data: { usage: 3, selector: 1, matchingType: 1, certificate: digest } }],
    }))
    const inner = systemResolver({ servers: [dns.server], timeoutMs: 2000, clock: steadyClock, validating: true })
    const resolver = cachedResolver(inner, { entries: 10, maxAgeMs: 60_000, clock: steadyClock })
    for (let i = 0; i < 2; i++) {
      const { records, secure } = await resolver.tlsa('_25._tcp.mx.example')
      assert.deepEqual(records, [{ usage: 3, selector: 1, matchingType: 1, data: digest }])
      assert.equal(secure, true)
    }
    assert.equal(dns.asked.length, 1)
    assert.equal(resolver.validating, true)
    resolver.close()
  })

  it('is trusted on this machine, unless it may pass on what others say', () => {
    const trusted = (servers: string[], validating: 'auto' | boolean = 'auto') => trustsValidation(servers, validating)
    assert.equal(trusted(['127.0.0.1']), true)
    assert.equal(trusted(['127.0.0.1:5353', '[::1]:53']), true)
    assert.equal(trusted(['127.0.0.53']), false)
    assert.equal(trusted(['127.0.0.11']), false)
    assert.equal(trusted(['127.0.0.1', '192.0.2.53']), false)
    assert.equal(trusted(['192.0.2.53'], true), true)
    assert.equal(trusted(['127.0.0.1'], false), false)
  })

  it('is opened as the configuration says', async () => {
    await using dns = await startDnsServer(({ name, type }) => ({
      flags: AUTHENTIC_DATA,
      answers: [{ type, name, ttl: 60, data: '192.0.2.1' }],
    }))
    for (const [validating, secure] of [
      ['auto', true],
      [false, undefined],
    ] as const) {
      const settings = { servers: [dns.server], timeout: 2000, cacheEntries: 10, cacheMaxAge: 1000, validating }
      const resolver = openResolver({ ...settings, clock: steadyClock })
      assert.equal((await resolver.a('a.example')).secure, secure)
      resolver.close()
    }
  })

  it('is played by a zone that says what is secure', async () => {
    const tlsa = { usage: 3, selector: 1, matchingType: 1, data: digest }
    const zone = zoneResolver({
      '_25._tcp.mx.example': { TLSA: [tlsa], secure: true },
      'alias.example': { CNAME: 'mx.example', secure: true },
      'mx.example': { A: ['192.0.2.1'] },
    })
    const { records, secure } = await zone.tlsa('_25._tcp.mx.example')
    assert.deepEqual([records, secure], [[tlsa], true])
    assert.equal((await zone.a('alias.example')).secure, undefined)
    zone.set('mx.example', { A: ['192.0.2.1'], secure: true })
    const { secure: now, end } = await zone.a('alias.example')
    assert.deepEqual([now, end], [true, 'mx.example'])
  })
})
