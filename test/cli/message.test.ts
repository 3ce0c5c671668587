/**
 * `kitte message list`, run in this process against the real API.
 */
import assert from 'node:assert/strict'
import { type Api, startApi, token } from '../admin/support/api.ts'
import { newMessage, outcome, outcomeEvent } from '../store/fixtures.ts'
import { cli } from './support/cli.ts'

async function list(api: Api, ...args: string[]): Promise<string> {
  const given = ['message', 'list', ...args]
  const { code, out, err } = await cli(given, { KITTE_API: api.url, KITTE_ADMIN_TOKEN: token })
  assert.equal(code, 0, err)
  return out
}

/** One message to two recipients: the first is there, the second is unknown; a third waits. */
async function mailed(api: Api): Promise<string> {
  const now = Date.now()
  const to = ['Fine@xn--r8jz45g.example', 'gone@there.example', 'later@there.example']
  const { message, ...draft } = newMessage({ now, to, lease: { owner: 'test/1', until: now + 60_000 }, events: true })
  await api.store.accept({ message, ...draft })
  const reply = { code: 550, detail: '1.1', text: 'no such user', from: 'remote' } as const
  const outcomes = [
    outcome(`${message.id}.0`, 'delivered', now, { recipient: to[0]! }),
    outcome(`${message.id}.1`, 'bounced', now, {
      recipient: to[1]!,
      reply,
      class: 'address-unknown',
      actor: 'recipient',
    }),
  ]
  await api.store.settle({ outcomes, reports: [], events: outcomes.map(outcomeEvent) })
  return message.id
}

describe('kitte message list', () => {
  it('tells in both languages whether mail to a recipient arrived, why not and who must act', async () => {
    await using api = await startApi()
    const id = await mailed(api)
    const gone = await list(api, '--recipient', 'gone@there.example')
    assert.match(
      gone,
      new RegExp(`^\\S+ \\S+ {2}from \\S+ {2}\\[${id}\\]\n {4}gone@there\\.example: bounced / 送信エラー `),
    )
    assert.match(gone, /: 550 5\.1\.1 no such user\n/)
    assert.match(gone, /宛先のメールアドレスが存在しません。\n {6}対応者: 送信者（宛先の確認）。.+\n/)
    assert.match(gone, /does not exist\.\n {6}to act: the sender \(check the recipient\)\. Check the address/)
    assert.match(await list(api, '--recipient', 'later@there.example'), /: waiting \/ 配信待ち\n/)
    assert.match(await list(api, '--recipient', 'fine@例え.example'), /Fine@xn--\S+: delivered \/ 配信済み \d{4}-/)
    assert.match(
      await list(api, '--recipient', 'nobody@there.example'),
      /no such message .*\n該当するメールはありません/,
    )
  })

  it('lists messages by what is given, and as JSON', async () => {
    await using api = await startApi()
    const id = await mailed(api)
    assert.match(await list(api, '--state', 'bounced'), new RegExp(`${id} .* and 2 more +1 +1 +1 +0$`, 'm'))
    assert.match(await list(api, '--state', 'cancelled'), /no such message/)
    const { messages } = JSON.parse(await list(api, '--recipient', 'gone@there.example', '--json'))
    assert.deepEqual([messages[0].id, messages[0].entry.state], [id, 'bounced'])
  })
})
