/**
 * Limits that certificates of a path put on it; each case judged by OpenSSL as well, in a handshake with that root.
 */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { elementsOf } from '../../src/tls/der.ts'
import { pathProblem } from '../../src/tls/path-limits.ts'
import { type Issued, type TestAuthority, type TestExtension, testAuthority } from '../support/authority.ts'
import { judgedByOpenSsl } from '../support/openssl-verdict.ts'

const host = 'mx.a.example'

function der(tag: number, ...contents: readonly (Buffer | string)[]): Buffer {
  const content = Buffer.concat(contents.map(one => Buffer.from(one as string)))
  return Buffer.concat([Buffer.from([tag, content.length]), content])
}

/** RFC 5280 §4.2.1.10: [0] permitted, [1] excluded, each of DNS names. */
function constrained(permitted: readonly string[], excluded: readonly string[] = []): TestExtension {
  const trees = (tag: number, names: readonly string[]) =>
    names.length === 0 ? [] : [der(tag, ...names.map(name => der(0x30, der(0x82, name))))]
  const value = der(0x30, ...trees(0xa0, permitted), ...trees(0xa1, excluded))
  return { id: '2.5.29.30', critical: true, value: value.toString('latin1') }
}

const forMail = { name: 'extKeyUsage', emailProtection: true }
const forServers = { name: 'extKeyUsage', serverAuth: true, clientAuth: true }
const unknown = (critical: boolean) => ({ id: '1.2.3.4', critical, value: der(0x30).toString('latin1') })

describe('a path of certificates', () => {
  const root = testAuthority('root')
  const middle = (options: Parameters<TestAuthority['below']>[1], below = root) => below.below('middle', options)
  const narrow = middle({ pathLength: 0 })
  const narrowed = middle({ extensions: [constrained(['a.example'])] })
  const excluding = middle({ extensions: [constrained([], [host])] })
  const free = middle({})
  const mx = { names: [host] }

  const table: readonly (readonly [string, Issued, readonly TestAuthority[], string | null])[] = [
    ['without limits', free.issue(mx), [free, root], null],
    ['no longer than allowed', narrow.issue(mx), [narrow, root], null],
    ...longer(narrow, 'PATH_LENGTH_EXCEEDED'),
    ...longer(middle({ pathLength: 1 }), null),
    ['for a permitted name', narrowed.issue(mx), [narrowed, root], null],
    ['for another name', narrowed.issue({ names: ['mx.b.example'] }), [narrowed, root], 'CERT_NAME_NOT_PERMITTED'],
    [
      'for another name beside',
      narrowed.issue({ names: [host, 'b.example'] }),
      [narrowed, root],
      'CERT_NAME_NOT_PERMITTED',
    ],
    [
      'for a name that ends alike',
      narrowed.issue({ names: ['mxa.example'] }),
      [narrowed, root],
      'CERT_NAME_NOT_PERMITTED',
    ],
    ['for an excluded name', excluding.issue(mx), [excluding, root], 'CERT_NAME_NOT_PERMITTED'],
    ['for a name beside the excluded one', excluding.issue({ names: ['mx2.a.example'] }), [excluding, root], null],
    ['for servers', free.issue({ ...mx, extensions: [forServers] }), [free, root], null],
    ['for mail only', free.issue({ ...mx, extensions: [forMail] }), [free, root], 'INVALID_PURPOSE'],
    ...by(middle({ extensions: [forMail] }), 'of an authority for mail only', 'INVALID_PURPOSE'),
    [
      'with something critical and unknown',
      free.issue({ ...mx, extensions: [unknown(true)] }),
      [free, root],
      'CERT_CRITICAL_EXTENSION',
    ],
    ['with something unknown', free.issue({ ...mx, extensions: [unknown(false)] }), [free, root], null],
  ]

  function longer(over: TestAuthority, expected: string | null) {
    const lower = over.below('lower')
    return [[`of one more authority: ${expected}`, lower.issue(mx), [lower, over, root], expected] as const]
  }

  function by(authority: TestAuthority, title: string, expected: string | null) {
    return [[title, authority.issue(mx), [authority, root], expected] as const]
  }

  for (const [title, issued, authorities, expected] of table)
    it(`${title} is ${expected === null ? 'taken' : 'refused'}, as OpenSSL judges it`, async () => {
      const path = [issued.x509, ...authorities.map(({ x509 }) => x509)]
      const name = /DNS:([^,]+)/.exec(issued.x509.subjectAltName!)![1]!
      assert.equal(pathProblem(path, [name]), expected)
      const shown = [issued.cert, ...authorities.slice(0, -1).map(({ certificate }) => certificate)].join('')
      const verdict = await judgedByOpenSsl({ key: issued.key, cert: shown }, root.certificate, name)
      assert.equal(verdict === null, expected === null, `OpenSSL says ${verdict}`)
    })

  it('whose wildcard stands for an excluded name is refused for it', () => {
    const { x509 } = excluding.issue({ names: ['*.a.example'] })
    const path = [x509, excluding.x509, root.x509]
    assert.equal(pathProblem(path, [host]), 'CERT_NAME_NOT_PERMITTED')
    assert.equal(pathProblem(path, ['mx2.a.example']), null)
  })

  it('that can not be read is refused', () => {
    const raw = Buffer.from(free.x509.raw)
    raw[1] = 0x80
    const unreadable = new Proxy(free.x509, {
      get: (of, key) => (key === 'raw' ? raw : Reflect.get(of, key, of)),
    })
    assert.equal(pathProblem([free.issue(mx).x509, unreadable, root.x509], [host]), 'CERT_UNREADABLE')
  })
})

describe('DER', () => {
  it('is read, with lengths of one and of several octets', () => {
    const long = Buffer.concat([Buffer.from([0x04, 0x82, 0x01, 0x00]), Buffer.alloc(256, 7)])
    assert.deepEqual(elementsOf(Buffer.concat([Buffer.from([0x02, 0x01, 0x05]), long])), [
      { tag: 0x02, content: Buffer.from([5]) },
      { tag: 0x04, content: Buffer.alloc(256, 7) },
    ])
  })

  for (const octets of [
    [0x30],
    [0x30, 0x80, 0, 0],
    [0x30, 0x05, 0],
    [0x1f, 0x81, 0x01, 0],
    [0x30, 0x85, 0, 0, 0, 0, 0],
  ])
    it(`is not what ${Buffer.from(octets).toString('hex')} is`, () => {
      assert.throws(() => elementsOf(Buffer.from(octets)), RangeError)
    })

  it('of a real certificate holds three elements', () => {
    const { raw } = new X509Certificate(testAuthority('one').certificate)
    assert.equal(elementsOf(elementsOf(raw)[0]!.content).length, 3)
  })
})
