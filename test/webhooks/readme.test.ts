/**
 * What the README tells receivers is true: its code takes what we send and nothing else, its table has every event.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventTypes } from '../../src/mail/event.ts'
import { signedHeaders } from '../../src/webhooks/signature.ts'
import { needProgram, run } from '../support/real/program.ts'

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

  it('does so in Python too', async function () {
    const python = needProgram(this, 'python3')
    const code = /```python\n([\s\S]*?)```/.exec(section)![1]!
    const [secret, old] = ['whsec_bmV3', 'whsec_b2xk'] as const
    const body = '{"version":1,"name":"花子"}'
    const headers = signedHeaders([secret, old], 'id', Date.now(), Buffer.from(body))
    const late = signedHeaders([secret], 'id', Date.now() - 3_600_000, Buffer.from(body))
    const cases = [
      [headers, body, secret],
      [headers, body, old],
      [headers, body, 'whsec_b3RoZXI='],
      [headers, body.replace('1', '2'), secret],
      [{ ...headers, 'webhook-id': 'other' }, body, secret],
      [{ ...headers, 'webhook-signature': 'v1,花' }, body, secret],
      [{}, body, secret],
      [late, body, secret],
    ]
    const ask = 'import json, sys\nprint([is_from_kitte(h, b.encode(), s) for h, b, s in json.load(sys.stdin)])'
    const { stdout, stderr } = await run(python, ['-c', `${code}\n${ask}`], Buffer.from(JSON.stringify(cases)))
    assert.equal(stdout, `[True, True${', False'.repeat(cases.length - 2)}]\n`, stderr)
  })

  it('has every event in its table', () => {
    for (const type of [...eventTypes, 'webhook.gap', 'webhook.test'])
      assert.match(section, new RegExp(`^\\|.*\`${type}\`.*\\|`, 'm'), type)
  })
})
