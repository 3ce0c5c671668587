/**
 * What a receiver would make of a domain's mail: modes, SPF with its deciding term, signatures, DMARC.
 */
import assert from 'node:assert/strict'
import type { Zone } from '../../src/dns/zone.ts'
import type { ZoneResolver } from '../../src/dns/zone-resolver.ts'
import { createExplainer, type DomainExplanation } from '../../src/domains/explain.ts'
import { tellAlignment } from '../../src/domains/explain-alignment.ts'
import { dkimRecord } from '../../src/signing/key-ring.ts'
import { openWorld } from './world.ts'

const name = 'ours.example'
const ips = ['210.198.21.20', '203.0.113.77']
const relayKey = { domain: 'relay.example.jp', selector: 'relay1', algorithm: 'rsa', publicKey: 'cmVsYXk=' } as const
const relayZone: Zone = {
  [dkimRecord(relayKey).name]: { TXT: [dkimRecord(relayKey).value] },
  'bounce.relay.example.jp': { TXT: ['v=spf1 ip4:210.198.21.20 ip4:203.0.113.77 -all'] },
}

type World = Awaited<ReturnType<typeof openWorld>>

/** A domain with its records published as asked for, then `change` in the zone, seen or not seen by a check. */
async function explained(
  change: (zone: ZoneResolver, world: World) => void,
  { verified = true, publish = true } = {},
): Promise<DomainExplanation> {
  await using world = await openWorld(relayZone)
  const { resolver, domains, store, clock, config } = world
  const view = await domains.register({ name, account: 'a1' })
  if (publish) {
    world.publish(view)
    await domains.verify(name)
  }
  change(resolver, world)
  if (verified) await domains.verify(name)
  const wide = { ...config, spf: { ...config.spf, sendingIps: ips } }
  return createExplainer({ store, resolver, clock, config: wide, relayKey }).explain(name)
}

const policy = (text: string) => (zone: ZoneResolver) => zone.set(`_dmarc.${name}`, { TXT: [text] })

function assertBilingual({ ja, en }: { ja: string; en: string }): void {
  assert.match(ja, /[ぁ-ん]/)
  assert.doesNotMatch(ja + en, /[{}]|undefined/)
}

describe('the explanation of a domain', () => {
  it('tells the mode, each signature, and SPF and DMARC of each sending address', async () => {
    const told = await explained(() => {})
    assert.equal(told.mode, 'spf-dkim')
    assert.equal(told.envelopeDomain, name)
    assert.deepEqual(told.dkim.map(({ domain, selector, result, aligned }) => [domain, selector, result, aligned]), [[name, '20260115', 'valid', true]]) // biome-ignore format: one line
    const [covered, uncovered] = told.addresses
    assert.deepEqual(
      [covered!.spf.result, covered!.spf.terms, covered!.spf.aligned],
      ['pass', ['ip4:210.198.21.20'], true],
    )
    assert.deepEqual([covered!.dmarc.result, covered!.dmarc.by], ['pass', ['spf', 'dkim']])
    assert.deepEqual([uncovered!.spf.result, uncovered!.spf.terms], ['softfail', ['~all']])
    assert.deepEqual([uncovered!.dmarc.result, uncovered!.dmarc.by], ['pass', ['dkim']])
    const { message, policy, dkim, addresses } = told
    const all = [message, policy.message, ...dkim.map(({ message }) => message), ...addresses.flatMap(({ spf, dmarc }) => [spf.message, dmarc.message])] // biome-ignore format: one line
    for (const text of all) assertBilingual(text)
  })

  it('names the includes and redirects that lead to the deciding term', async () => {
    const told = await explained(zone => {
      zone.set(name, { TXT: ['v=spf1 mx redirect=_spf.ours.example'] })
      zone.set('_spf.ours.example', { TXT: ['v=spf1 a:nowhere.example include:m01-ahd-sys.net ?all'] })
    })
    const [first, second] = told.addresses
    assert.deepEqual(first!.spf.terms, ['redirect=_spf.ours.example', 'include:m01-ahd-sys.net', 'ip4:210.198.21.0/24'])
    assert.deepEqual([second!.spf.result, second!.spf.terms], ['neutral', ['redirect=_spf.ours.example', '?all']])
    assert.match(first!.spf.message.en, /include:m01-ahd-sys\.net → ip4:210\.198\.21\.0\/24/)
  })

  it('asks now: a key that vanished since the last check does not verify', async () => {
    const told = await explained(zone => zone.remove('20260115._domainkey.ours.example'), { verified: false })
    assert.equal(told.mode, 'spf-dkim')
    assert.deepEqual(told.dkim.map(({ result, reason }) => [result, reason]), [['invalid', 'absent']]) // biome-ignore format: one line
    assert.deepEqual(told.addresses.map(({ dmarc }) => dmarc.result), ['pass', 'fail']) // biome-ignore format: one line
    assertBilingual(told.dkim[0]!.message)
  })

  it('signs with the relay and bounces to the relay while nothing is published', async () => {
    const told = await explained(policy('v=DMARC1; p=reject'), { publish: false })
    assert.equal(told.mode, 'sender-only')
    assert.equal(told.envelopeDomain, 'bounce.relay.example.jp')
    assert.deepEqual(told.dkim.map(({ domain, result, aligned }) => [domain, result, aligned]), [['relay.example.jp', 'valid', false]]) // biome-ignore format: one line
    for (const { spf, dmarc } of told.addresses) {
      assert.deepEqual([spf.domain, spf.result, spf.aligned], ['bounce.relay.example.jp', 'pass', false])
      assert.equal(dmarc.result, 'fail')
      assert.match(dmarc.message.en, /refuse it \(reject\)/)
      assert.match(dmarc.message.ja, /受信拒否/)
    }
  })

  it('bounces to the host that the domain opted in to, which SPF aligns by, while its own SPF is not published', async () => {
    await using world = await openWorld(relayZone)
    const { resolver, domains, store, clock, config } = world
    const { records } = await domains.register({ name, account: 'a1', returnPath: true })
    const of = (purpose: string) => records.find(record => record.purpose === purpose)!
    const [preference = '', exchange = ''] = of('return-path').value.split(' ')
    const bounces = { MX: [[Number(preference), exchange]] as const, TXT: [of('return-path-spf').value] }
    resolver.set(of('return-path').name, bounces)
    policy('v=DMARC1; p=reject')(resolver)
    const explainer = createExplainer({ store, resolver, clock, config, relayKey })
    assert.equal((await explainer.explain(name)).envelopeDomain, 'bounce.relay.example.jp', 'not seen by a check yet')
    await domains.verify(name)
    const told = await explainer.explain(name)
    assert.deepEqual([told.mode, told.envelopeDomain], ['sender-only', 'bounce.ours.example'])
    assert.match(told.message.en, /reverse-path at bounce\.ours\.example/)
    assert.match(told.message.ja, /bounce\.ours\.example/)
    const [{ spf, dmarc } = assert.fail()] = told.addresses
    assert.deepEqual([spf.domain, spf.result, spf.aligned], ['bounce.ours.example', 'pass', true])
    assert.deepEqual([dmarc.result, dmarc.by], ['pass', ['spf']])
  })

  it('compares as the policy wants it', async () => {
    const strict = await explained(policy('v=DMARC1; p=quarantine; aspf=s; adkim=r'))
    assert.deepEqual(
      [strict.policy.policy, strict.policy.aspf, strict.policy.adkim],
      ['quarantine', 'strict', 'relaxed'],
    )
    const [from, sub] = ['ours.co.jp', 'bounce.ours.co.jp']
    assert.equal(tellAlignment(sub, from, 'relaxed').aligned, true)
    assert.equal(tellAlignment(sub, from, 'strict').aligned, false)
    assert.equal(tellAlignment('theirs.co.jp', from, 'relaxed').aligned, false)
  })

  it('has no DMARC result without a policy', async () => {
    const told = await explained(zone => zone.remove(`_dmarc.${name}`))
    assert.equal(told.policy.policy, null)
    assert.deepEqual(told.addresses.map(({ dmarc }) => dmarc.result), ['none', 'none']) // biome-ignore format: one line
  })

  it('says so where DNS gives no answer', async () => {
    const policyGone = await explained(zone => zone.fail(`_dmarc.${name}`), { verified: false })
    assert.deepEqual(policyGone.addresses.map(({ dmarc }) => dmarc.result), ['unknown', 'unknown']) // biome-ignore format: one line
    const allGone = await explained(
      zone => {
        zone.fail(name)
        zone.fail('20260115._domainkey.ours.example')
      },
      { verified: false },
    )
    assert.equal(allGone.dkim[0]!.result, 'unknown')
    for (const { spf, dmarc } of allGone.addresses) {
      assert.deepEqual([spf.result, spf.terms, dmarc.result], ['temperror', [], 'unknown'])
      assertBilingual(spf.message)
    }
  })

  it('is refused for a domain that is not registered', async () => {
    await using world = await openWorld()
    const { store, resolver, clock, config } = world
    const explainer = createExplainer({ store, resolver, clock, config, relayKey })
    await assert.rejects(explainer.explain('theirs.example'), /theirs\.example is not registered/)
  })
})
