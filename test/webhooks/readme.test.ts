/**
 * What the README tells receivers is true: its code takes what we send and nothing else, its table has every event.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventTypes } from '../../src/mail/event.ts'
import { signedHeaders } from '../../src/webhooks/signature.ts'

const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
const section = /### Webhooks\n[\s\S]*?\n## /.exec(readme)![0]

type Verify = (headers: Record<string, string>, body: Buffer, secret: string) => boolean

describe('the README about webhooks', () => {
  it('verifies what we sign, by the new secret or the one before, and nothing else', async () => {
    const code = /```js\n([\s\S]*?)```/.exec(section)![1]!
    const { isFromKitte } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as {
      isFromKitte: Verify
    }
    const [secret, old, other] = ['whsec_bmV3', 'whsec_b2xk', 'whsec_b3RoZXI='] as const
    const body = Buffer.from('{"version":1}')
    const headers = { ...signedHeaders([secret, old], 'id', Date.now(), body) }
    assert.equal(isFromKitte(headers, body, secret), true)
    assert.equal(isFromKitte(headers, body, old), true)
    assert.equal(isFromKitte(headers, body, other), false)
    assert.equal(isFromKitte(headers, Buffer.from('{"version":2}'), secret), false)
    assert.equal(isFromKitte({ ...headers, 'webhook-id': 'other' }, body, secret), false)
    assert.equal(isFromKitte({}, body, secret), false)
    const late = { ...signedHeaders([secret], 'id', Date.now() - 3_600_000, body) }
    assert.equal(isFromKitte(late, body, secret), false)
  })

  it('has every event in its table', () => {
    for (const type of [...eventTypes, 'webhook.gap', 'webhook.test'])
      assert.match(section, new RegExp(`^\\|.*\`${type}\`.*\\|`, 'm'), type)
  })
})
