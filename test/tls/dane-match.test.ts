import assert from 'node:assert/strict'
import { createHash, type X509Certificate } from 'node:crypto'
import type { TlsaRecord } from '../../src/dns/resolver.ts'
import { daneProblem } from '../../src/tls/dane-match.ts'
import { type Issued, testAuthority } from '../support/authority.ts'

const day = 86_400_000
const now = Date.now()

function record(usage: number, selector: number, matchingType: number, of: X509Certificate): TlsaRecord {
  const whole = selector === 0 ? of.raw : of.publicKey.export({ type: 'spki', format: 'der' })
  const hash = ['', 'sha256', 'sha512'][matchingType]!
  return { usage, selector, matchingType, data: hash === '' ? whole : createHash(hash).update(whole).digest() }
}

describe('DANE', () => {
  const root = testAuthority('root')
  const middle = root.below('middle')
  const mx = middle.issue({ names: ['mx.example'] })
  const chainOf = (issued: Issued, ...more: { readonly x509: X509Certificate }[]) => [
    issued.x509,
    ...more.map(({ x509 }) => x509),
  ]
  const problem = (chain: X509Certificate[], records: TlsaRecord[], names = ['mx.example'], at = now) =>
    daneProblem({ chain, records, names, now: at })

  for (const [selector, matchingType] of [
    [0, 0],
    [0, 1],
    [0, 2],
    [1, 0],
    [1, 1],
    [1, 2],
  ] as const) {
    it(`knows the host's certificate by 3 ${selector} ${matchingType}`, () => {
      assert.equal(problem([mx.x509], [record(3, selector, matchingType, mx.x509)]), null)
      assert.equal(problem([mx.x509], [record(3, selector, matchingType, root.x509)]), 'TLSA_MISMATCH')
    })

    it(`knows the authority by 2 ${selector} ${matchingType}`, () => {
      const records = [record(2, selector, matchingType, root.x509)]
      assert.equal(problem(chainOf(mx, middle, root), records), null)
      const shownInFull = matchingType === 0
      assert.equal(problem(chainOf(mx, middle), records), shownInFull ? null : 'TLSA_MISMATCH')
    })
  }

  it('does not mind names and dates of a certificate that is named itself', () => {
    const old = root.issue({ names: ['other.example'], notAfter: new Date(now - day / 2) })
    assert.equal(problem([old.x509], [record(3, 1, 1, old.x509)]), null)
  })

  it('minds names and dates below an authority', () => {
    const records = [record(2, 0, 1, root.x509)]
    const old = root.issue({ names: ['mx.example'], notAfter: new Date(now - day / 2) })
    const early = root.issue({ names: ['mx.example'], notBefore: new Date(now + day / 2) })
    const other = root.issue({ names: ['other.example'] })
    const nameless = root.issue({ names: ['mx.example'], withoutDnsIds: true })
    assert.equal(problem(chainOf(old, root), records), 'CERT_HAS_EXPIRED')
    assert.equal(problem(chainOf(early, root), records), 'CERT_NOT_YET_VALID')
    assert.equal(problem(chainOf(other, root), records), 'ERR_TLS_CERT_ALTNAME_INVALID')
    assert.equal(problem(chainOf(other, root), records, ['mx.example', 'other.example']), null)
    assert.equal(problem(chainOf(nameless, root), records), 'ERR_TLS_CERT_ALTNAME_INVALID')
    assert.equal(problem(chainOf(mx, middle, root), records, ['mx.example'], now + 2 * day), 'CERT_HAS_EXPIRED')
  })

  it('obeys the limits of the authorities on the way', () => {
    const narrow = root.below('narrow', { pathLength: 0 })
    const lower = narrow.below('lower')
    const chain = chainOf(lower.issue({ names: ['mx.example'] }), lower, narrow, root)
    assert.equal(problem(chain, [record(2, 0, 1, root.x509)]), 'PATH_LENGTH_EXCEEDED')
    assert.equal(problem(chain, [record(2, 0, 1, lower.x509)]), null)
  })

  it('takes no certificate for an authority that is none, and none that was not issued by it', () => {
    const noAuthority = root.below('no authority', { ca: false })
    const forged = noAuthority.issue({ names: ['mx.example'] })
    assert.equal(problem(chainOf(forged, noAuthority, root), [record(2, 0, 1, root.x509)]), 'TLSA_MISMATCH')
    const namesake = testAuthority('root')
    assert.equal(
      problem(chainOf(namesake.issue({ names: ['mx.example'] }), root), [record(2, 0, 1, root.x509)]),
      'TLSA_MISMATCH',
    )
  })

  it('does not take the host for its own authority, nor the authority for the host', () => {
    assert.equal(problem([mx.x509], [record(2, 0, 1, mx.x509)]), 'TLSA_MISMATCH')
    assert.equal(problem(chainOf(mx, middle, root), [record(3, 0, 1, root.x509)]), 'TLSA_MISMATCH')
  })

  it('is content with one record of several, and with none when nothing was shown', () => {
    assert.equal(problem([mx.x509], [record(3, 1, 1, root.x509), record(3, 1, 1, mx.x509)]), null)
    assert.equal(problem([], [record(3, 1, 1, mx.x509)]), 'TLSA_MISMATCH')
  })

  it('survives records and chains that make no sense', () => {
    const nonsense = Buffer.from('nonsense')
    for (const [usage, selector] of [
      [2, 0],
      [2, 1],
      [3, 0],
      [3, 1],
    ] as const)
      assert.equal(
        problem(chainOf(mx, middle, root), [{ usage, selector, matchingType: 0, data: nonsense }]),
        'TLSA_MISMATCH',
      )
    assert.equal(problem([mx.x509, mx.x509, root.x509, root.x509], [record(2, 0, 1, middle.x509)]), 'TLSA_MISMATCH')
  })
})
