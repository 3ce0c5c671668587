/**
 * Where events may be sent: public addresses only, unless told otherwise, whatever a name or an URL pretends.
 */
import assert from 'node:assert/strict'
import type { Resolver } from '../../src/dns/resolver.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { ok, startReceiver } from './receiver.ts'
import { openWorld, until } from './world.ts'

describe('an address that is not public', () => {
  const urls = [
    'http://127.0.0.1:PORT/',
    'http://127.1:PORT/',
    'http://0x7f000001:PORT/',
    'http://2130706433:PORT/',
    'http://localhost:PORT/',
    'http://a.localhost:PORT/',
    'http://LOCALHOST.:PORT/',
    'http://0.0.0.0:PORT/',
    'http://[::1]:PORT/',
    'http://[::]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[64:ff9b::7f00:1]:PORT/',
    'http://[2002:7f00:1::]:PORT/',
    'http://169.254.169.254/latest/meta-data/',
    'http://10.0.0.1/',
    'http://[fd00::1]/',
    'http://loopback.example:PORT/',
    'http://private.example/',
    'http://both.example:PORT/',
  ]
  for (const url of urls) {
    it(`is refused before any connection: ${url}`, async () => {
      await using world = await openWorld({ allowPrivateAddresses: false })
      world.zone.set('loopback.example', { A: ['127.0.0.1'], AAAA: ['::1'] })
      world.zone.set('private.example', { A: ['192.168.1.1'] })
      world.zone.set('both.example', { A: ['127.0.0.1', '10.1.2.3'] })
      await using receiver = await startReceiver()
      const { webhook } = await world.add(url.replace('PORT', String(receiver.port)))
      const tested = await world.webhooks.test(webhook.id)
      assert.ok(!tested.taken)
      assert.equal(tested.failure.reason, 'refused-address', JSON.stringify(tested))
      await world.happen(1)
      await until(async () => (await world.webhooks.view(webhook.id)).progress.failures === 1)
      assert.equal(receiver.got.length, 0)
    })
  }
})

describe('a name', () => {
  /** Answers another address each time it is asked. */
  function rebinding(answers: readonly string[]): { resolver: Resolver; asked: () => number } {
    let asked = 0
    const zone = zoneResolver({})
    const a = async () => {
      const address = answers[Math.min(asked++, answers.length - 1)]!
      return { status: 'found', records: [address], ttl: 0 } as const
    }
    return { resolver: { ...zone, a }, asked: () => asked }
  }

  it('is resolved by us alone, once for each request, and the connection goes to what was judged', async () => {
    await using receiver = await startReceiver()
    // Nobody but our resolver knows the name; were it asked a second time, nobody would be there.
    const { resolver, asked } = rebinding(['127.0.0.1', '127.0.0.9'])
    await using world = await openWorld({ resolver })
    const { webhook } = await world.add(`http://hook.example:${receiver.port}/`)
    const tested = await world.webhooks.test(webhook.id)
    assert.deepEqual([tested.taken, asked()], [true, 1])
    assert.equal(receiver.got[0]!.headers.host, `hook.example:${receiver.port}`)
  })

  it('that turns to our own network later is refused then', async () => {
    await using receiver = await startReceiver()
    const { resolver } = rebinding(['127.0.0.1', '0.0.0.0'])
    await using world = await openWorld({ resolver })
    const { webhook } = await world.add(`http://hook.example:${receiver.port}/`)
    await world.happen(1)
    await until(() => receiver.taken.length === 1)
    await world.happen(1)
    await until(async () => (await world.webhooks.view(webhook.id)).progress.failures === 1)
    assert.equal((await world.webhooks.view(webhook.id)).progress.lastFailure?.reason, 'refused-address')
    assert.equal(receiver.got.length, 1, 'not even over the connection that is still open')
  })

  it('that does not exist, or that DNS can not tell, is a failure with its reason', async () => {
    await using world = await openWorld()
    world.zone.fail('broken.example')
    for (const [host, reason] of [
      ['nowhere.example', 'no-host'],
      ['broken.example', 'dns-trouble'],
    ]) {
      const { webhook } = await world.add(`http://${host}/`)
      const tested = await world.webhooks.test(webhook.id)
      assert.equal(!tested.taken && tested.failure.reason, reason)
    }
  })
})

describe('a certificate', () => {
  it('nobody vouches for is refused', async () => {
    await using receiver = await startReceiver(ok)
    await using world = await openWorld()
    const { webhook } = await world.add(receiver.url.replace('http:', 'https:'))
    const tested = await world.webhooks.test(webhook.id)
    assert.equal(!tested.taken && tested.failure.reason, 'tls')
  })
})
