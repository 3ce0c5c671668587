import assert from 'node:assert/strict'
import { findAddresses, findHosts, type LookupOptions } from '../../src/dns/mx.ts'
import { refusedAddress } from '../../src/dns/refused-address.ts'
import type { Zone } from '../../src/dns/zone.ts'
import { zoneResolver } from '../../src/dns/zone-resolver.ts'

const options: LookupOptions = {
  ipv6: true,
  maxHosts: 3,
  maxAddressesPerHost: 2,
  allowPrivateAddresses: false,
  random: () => 0,
}

/** `host@preference=address,address` per host, or `kind: detail`. */
async function told(zone: Zone, domain: string, change: Partial<LookupOptions> = {}, failing: string[] = []) {
  const resolver = zoneResolver(zone)
  for (const name of failing) resolver.fail(name)
  const found = await findHosts(resolver, domain, { ...options, ...change })
  if ('failure' in found) return found.failure.kind
  return found.hosts.map(host => `${host.host}@${host.preference}=${host.addresses.join(',')}`).join(' ')
}

const two = { 'a.example': { A: ['198.41.0.4'] }, 'b.example': { A: ['198.41.0.5'] } }

describe('the hosts that mail for a domain goes to', () => {
  const cases: [string, Zone, string, string, Partial<LookupOptions>?, string[]?][] = [
    [
      'are sorted by preference',
      {
        'd.example': {
          MX: [
            [20, 'b.example'],
            [10, 'a.example'],
          ],
        },
        ...two,
      },
      'd.example',
      'a.example@10=198.41.0.4 b.example@20=198.41.0.5',
    ],
    [
      'are none whose names are no host names, whatever address they have',
      {
        'd.example': {
          MX: [
            [5, 'evil\r\nx: y.example'],
            [5, '\x1b]0;evil.example'],
            [10, 'a.example'],
          ],
        },
        'evil\r\nx: y.example': { A: ['198.41.0.6'] },
        '\x1b]0;evil.example': { A: ['198.41.0.7'] },
        ...two,
      },
      'd.example',
      'a.example@10=198.41.0.4',
    ],
    [
      'are none when no MX is a host name',
      { 'd.example': { MX: [[5, 'evil\r\ny.example']] }, 'evil\r\ny.example': { A: ['198.41.0.6'] } },
      'd.example',
      'no-host',
    ],
    ['are the domain itself without MX', { 'd.example': { A: ['198.41.0.9'] } }, 'd.example', 'd.example@0=198.41.0.9'],
    [
      'take both families without MX',
      { 'd.example': { A: ['198.41.0.9'], AAAA: ['2001:500::1'] } },
      'd.example',
      'd.example@0=2001:500::1,198.41.0.9',
    ],
    ['are none under a null MX', { 'd.example': { MX: [[0, '']], A: ['198.41.0.9'] } }, 'd.example', 'null-mx'],
    [
      'ignore a null MX beside others',
      {
        'd.example': {
          MX: [
            [0, ''],
            [10, 'a.example'],
          ],
        },
        ...two,
      },
      'd.example',
      'a.example@10=198.41.0.4',
    ],
    ['are none for a name that does not exist', {}, 'd.example', 'no-domain'],
    ['are none for a name with other records only', { 'd.example': { TXT: ['x'] } }, 'd.example', 'no-host'],
    ['are none for an empty non-terminal', { 'x.d.example': { A: ['198.41.0.1'] } }, 'd.example', 'no-host'],
    [
      'are unknown when MX fails',
      { 'd.example': { A: ['198.41.0.9'] } },
      'd.example',
      'dns-trouble',
      {},
      ['d.example'],
    ],
    [
      'follow a CNAME of the domain',
      { 'd.example': { CNAME: 'e.example' }, 'e.example': { MX: [[5, 'a.example']] }, ...two },
      'd.example',
      'a.example@5=198.41.0.4',
    ],
    [
      'tolerate an exchange that is a CNAME',
      { 'd.example': { MX: [[5, 'c.example']] }, 'c.example': { CNAME: 'a.example' }, ...two },
      'd.example',
      'c.example@5=198.41.0.4',
    ],
    [
      'tolerate an exchange that is an address',
      { 'd.example': { MX: [[5, '198.41.0.7']] } },
      'd.example',
      '198.41.0.7@5=198.41.0.7',
    ],
    [
      'leave out exchanges that do not resolve',
      {
        'd.example': {
          MX: [
            [5, 'gone.example'],
            [9, 'b.example'],
          ],
        },
        ...two,
      },
      'd.example',
      'b.example@9=198.41.0.5',
    ],
    ['are none when no exchange resolves', { 'd.example': { MX: [[5, 'gone.example']] } }, 'd.example', 'no-host'],
    [
      'are unknown when one exchange fails and the others do not resolve',
      {
        'd.example': {
          MX: [
            [5, 'gone.example'],
            [9, 'b.example'],
          ],
        },
        ...two,
      },
      'd.example',
      'dns-trouble',
      {},
      ['b.example'],
    ],
    [
      'leave out an exchange whose lookup fails',
      {
        'd.example': {
          MX: [
            [5, 'a.example'],
            [9, 'b.example'],
          ],
        },
        ...two,
      },
      'd.example',
      'b.example@9=198.41.0.5',
      {},
      ['a.example'],
    ],
    [
      'are bounded, searching on past dead ones',
      {
        'd.example': {
          MX: [
            [1, 'g1.example'],
            [2, 'g2.example'],
            [3, 'a.example'],
            [4, 'b.example'],
          ],
        },
        ...two,
      },
      'd.example',
      'a.example@3=198.41.0.4',
      { maxHosts: 1 },
    ],
    [
      'have bounded addresses of both families',
      { 'd.example': { A: ['198.41.0.1', '198.41.0.2', '198.41.0.3'], AAAA: ['2001:500::1', '2001:500::2'] } },
      'd.example',
      'd.example@0=2001:500::1,198.41.0.1',
    ],
    [
      'are without IPv6 when switched off',
      { 'd.example': { A: ['198.41.0.1'], AAAA: ['2001:500::1'] } },
      'd.example',
      'd.example@0=198.41.0.1',
      { ipv6: false },
    ],
    [
      'are none when IPv6 is off and nothing else is there',
      { 'd.example': { AAAA: ['2001:500::1'] } },
      'd.example',
      'no-host',
      { ipv6: false },
    ],
    [
      'are refused on private addresses',
      { 'd.example': { MX: [[5, 'p.example']] }, 'p.example': { A: ['10.1.2.3'] } },
      'd.example',
      'private-address',
    ],
    [
      'keep the public one of two addresses',
      { 'd.example': { A: ['127.0.0.1', '198.41.0.1'] } },
      'd.example',
      'd.example@0=198.41.0.1',
    ],
    [
      'may be private where allowed',
      { 'd.example': { A: ['127.0.0.1'] } },
      'd.example',
      'd.example@0=127.0.0.1',
      { allowPrivateAddresses: true },
    ],
    ['are an address literal itself', {}, '[198.41.0.1]', '[198.41.0.1]@0=198.41.0.1'],
    ['are an IPv6 address literal itself', {}, '[IPv6:2001:500::1]', '[IPv6:2001:500::1]@0=2001:500::1'],
    [
      'are unknown in a CNAME loop',
      { 'd.example': { CNAME: 'e.example' }, 'e.example': { CNAME: 'd.example' } },
      'd.example',
      'dns-trouble',
    ],
  ]
  for (const [sentence, zone, domain, expected, change, failing] of cases)
    it(sentence, async () => assert.equal(await told(zone, domain, change, failing), expected))

  it('are shuffled among equal preferences', async () => {
    const zone = {
      'd.example': {
        MX: [
          [5, 'a.example'],
          [5, 'b.example'],
        ] as const,
      },
      ...two,
    }
    const lots = [0.9, 0.1]
    const found = await told(zone, 'd.example', { random: () => lots.shift()! })
    assert.equal(found, 'b.example@5=198.41.0.5 a.example@5=198.41.0.4')
  })

  it('say why nothing was found', async () => {
    const resolver = zoneResolver({
      'd.example': {
        MX: [
          [5, 'gone.example'],
          [6, 'p.example'],
        ],
      },
      'p.example': { A: ['192.168.1.1'] },
    })
    const found = await findHosts(resolver, 'd.example', options)
    assert.ok('failure' in found)
    assert.match(found.failure.detail, /gone\.example does not exist; p\.example is at 192\.168\.1\.1: .*private/)
  })

  it("of a sender's own server are its addresses, not its MX", async () => {
    const resolver = zoneResolver({ 'smtp.example': { A: ['198.41.0.1'], MX: [[1, 'elsewhere.example']] } })
    assert.deepEqual(await findAddresses(resolver, 'smtp.example', options), { addresses: ['198.41.0.1'] })
  })
})

describe('an address mail may not be sent to', () => {
  const refused = ['127.0.0.1', '10.0.0.1', '172.16.0.1', '192.168.0.1', '169.254.1.1', '100.64.0.1', '0.1.2.3', '224.0.0.1', '255.255.255.255', '240.0.0.1', '198.18.0.1', '::1', '::', 'fe80::1', 'fc00::1', 'ff02::1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '64:ff9b::7f00:1', '64:ff9b:1::1', '2002:7f00:1::', '::7f00:1', '2001:0:7f00:1::', '0127.0.0.1', '127.1'] // biome-ignore format: a list
  for (const address of refused)
    it(`${address} is refused`, () => assert.notEqual(refusedAddress(address, false), null))
  for (const address of ['198.41.0.4', '2001:500::1', '64:ff9b::808:808'])
    it(`${address} is not refused`, () => assert.equal(refusedAddress(address, false), null))
  for (const address of ['0.1.2.3', '224.0.0.1', 'ff02::1'])
    it(`${address} is refused even where private ones are allowed`, () =>
      assert.notEqual(refusedAddress(address, true), null))
})
