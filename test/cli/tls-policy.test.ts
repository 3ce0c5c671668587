import assert from 'node:assert/strict'
import { type Api, startApi, token } from '../admin/support/api.ts'
import { cli } from './support/cli.ts'

async function kitte(api: Api, ...args: readonly string[]): Promise<string> {
  const { code, out, err } = await cli(args, { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token }, '')
  assert.equal(code, 0, err)
  return out
}

describe('kitte tls-policy', () => {
  it('lists the policies that are kept, and tells what a domain asks', async () => {
    await using api = await startApi({ variables: { KITTE_DELIVERY_ALLOW_PRIVATE_ADDRESSES: 'true' } })
    assert.match(await kitte(api, 'tls-policy', 'list'), /no MTA-STS policy is kept/)
    const now = Date.now()
    const times = { fetchedAt: now, expiresAt: now + 86_400_000, usedAt: now }
    const mx = ['mx1.a.example']
    await api.store.putStsPolicy({ domain: 'a.example', id: '1', mode: 'enforce', mx, lines: [], ...times })
    api.zone.set('a.example', {
      MX: [
        [1, 'mx1.a.example'],
        [2, 'mx2.a.example'],
      ],
    })
    for (const host of ['mx1', 'mx2']) api.zone.set(`${host}.a.example`, { A: ['127.0.0.1'] })
    assert.match(await kitte(api, 'tls-policy', 'list'), /^a\.example +enforce +mx1\.a\.example /m)
    const told = await kitte(api, 'tls-policy', 'show', 'a.example')
    assert.match(told, /^MTA-STS +enforce for mx1\.a\.example, until /m)
    assert.match(told, /^mx1\.a\.example +verified +mta-sts:enforce/m)
    assert.match(told, /^mx2\.a\.example +refused +mta-sts:enforce .*mx2\.a\.example is not among the mx/m)
    const { hosts } = JSON.parse(await kitte(api, 'tls-policy', 'show', 'a.example', '--json'))
    assert.deepEqual(
      hosts.map((host: { tls: string }) => host.tls),
      ['verified', 'refused'],
    )
    assert.match(await kitte(api, 'tls-policy', 'show', 'none.example'), /^problem +none\.example does not exist/m)
  })

  it('and an account is told how far its mail must be protected', async () => {
    await using api = await startApi()
    assert.match(await kitte(api, 'account', 'create', 'Acme', '--tls', 'required'), /^tls +required$/m)
    assert.match(await kitte(api, 'account', 'set', 'Acme', '--tls', 'verified'), /^tls +verified$/m)
    assert.match(await kitte(api, 'account', 'show', 'Acme'), /^tls +verified$/m)
  })
})
