/**
 * How submission takes what a sender says about TLS (RFC 8689).
 */
import assert from 'node:assert/strict'
import type { Config } from '../../src/base/config.ts'
import { password, startMsa } from './msa.ts'

const starttls = { listeners: [{ host: '127.0.0.1', port: 0, tls: 'starttls' as const }] }
const from = 'From: a@ours.example\r\n'

async function accepted(header: string, parameters: string, more: Partial<Config['submission']> = {}) {
  await using msa = await startMsa({ submission: { ...starttls, ...more } })
  await using client = await msa.open()
  await client.say('EHLO before', /^250/)
  await client.startTls()
  await client.say('EHLO after', /^250/)
  await client.login('user-acme', password)
  await client.say(`MAIL FROM:<a@ours.example>${parameters}`, /^250 /)
  await client.say('RCPT TO:<b@there.example>', /^250 /)
  await client.content(`${header}\r\nx`, /^250 /)
  return { tls: msa.lastMessage().envelope.tls, content: msa.lastContent().toString() }
}

describe('REQUIRETLS', () => {
  it('is announced and taken under TLS, and refused without', async () => {
    await using msa = await startMsa({ submission: starttls })
    await using client = await msa.open()
    assert.doesNotMatch(await client.say('EHLO before', /^250/), /REQUIRETLS/)
    await client.login('user-acme', password)
    await client.say('MAIL FROM:<a@ours.example> REQUIRETLS', /^530 5\.7\.10 .*STARTTLS/)
    assert.equal(msa.events('refused').at(-1)?.fields.check, 'require-tls')
    await client.startTls()
    assert.match(await client.say('EHLO after', /^250/), /^250-REQUIRETLS\r?$/m)
    await client.login('user-acme', password)
    await client.say('MAIL FROM:<a@ours.example> REQUIRETLS', /^250 /)
  })

  it('stands in the envelope, whatever the header says', async () => {
    assert.equal((await accepted(from, ' REQUIRETLS')).tls, 'required')
    assert.equal((await accepted(`TLS-Required: No\r\n${from}`, ' REQUIRETLS')).tls, 'required')
  })
})

describe('TLS-Required: No', () => {
  it('stands in the envelope and stays in the header', async () => {
    const { tls, content } = await accepted(`tls-required:\r\n  NO\r\n${from}`, '')
    assert.equal(tls, 'optional')
    assert.match(content, /^tls-required:\r\n {2}NO\r\n/m)
  })

  it('means nothing with another value, or twice', async () => {
    assert.equal((await accepted(`TLS-Required: Yes\r\n${from}`, '')).tls, undefined)
    assert.equal((await accepted(`TLS-Required: No\r\nTLS-Required: No\r\n${from}`, '')).tls, undefined)
  })

  it('is not followed where the configuration says so', async () => {
    assert.equal((await accepted(`TLS-Required: No\r\n${from}`, '', { tlsRequiredNo: 'ignore' })).tls, undefined)
  })
})
