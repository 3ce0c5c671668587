/**
 * The proof of a claim, looked for at a name server of the domain itself, while the resolver remembers something else.
 */
import assert from 'node:assert/strict'
import { systemClock } from '../../src/base/clock.ts'
import { openAuthority } from '../../src/dns/authority.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'
import { startDnsServer } from '../dns/dns-server.ts'
import { patienceMs } from '../support/patience.ts'
import { openWorld } from './world.ts'

const name = 'ours.example'
const challenge = `_kitte-challenge.${name}`
const authoritative = 1 << 10

async function openClaimed() {
  const running = new AsyncDisposableStack()
  let shown: string[] = []
  const server = running.use(
    await startDnsServer(({ name: asked, type }) => ({
      flags: authoritative,
      answers: asked === challenge && type === 'TXT' ? shown.map(data => ({ type, name: asked, ttl: 60, data })) : [],
    })),
  )
  const names = zoneResolver({ [name]: { NS: [`ns.${name}`] }, [`ns.${name}`]: { A: ['127.0.0.1'] } })
  const authority = openAuthority({
    ...{ resolver: names, clock: systemClock, allowPrivate: true, port: server.port, triesMs: [patienceMs] },
  })
  running.defer(() => authority.close())
  const zone = { [name]: { NS: [`ns.${name}`] }, [`ns.${name}`]: { A: ['127.0.0.1'] } }
  const world = running.use(await openWorld(zone, { authority, clock: systemClock }))
  await world.domains.register({ name, account: 'a1' })
  const { record } = await world.domains.claim(name, 'a2')
  return {
    ...{ ...world, record, server },
    show: (...texts: string[]) => {
      shown = texts
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

describe('the proof of a claim at the name servers of the domain', () => {
  it('counts as soon as they show it, whatever the resolver remembers', async () => {
    await using claimed = await openClaimed()
    const { domains, record, server } = claimed
    assert.equal((await domains.proveClaim(name, 'a2')).proof.state, 'absent')
    claimed.show('kitte-claim=of-somebody-else')
    assert.equal((await domains.proveClaim(name, 'a2')).proof.state, 'differs')
    claimed.show('other', record.value)
    const { proof, domain } = await domains.proveClaim(name, 'a2')
    assert.deepEqual([proof.state, domain.account], ['moved', 'a2'])
    assert.ok(server.asked.includes(`udp TXT ${challenge}`))
  })

  it('is not taken from a resolver that they contradict', async () => {
    await using claimed = await openClaimed()
    const { domains, record, resolver } = claimed
    resolver.set(challenge, { TXT: [record.value] })
    const { proof, domain } = await domains.proveClaim(name, null)
    assert.deepEqual([proof.state, domain.account], ['absent', 'a1'])
  })
})
