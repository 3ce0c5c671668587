import assert from 'node:assert/strict'
import { Conversation } from '../../src/delivery/conversation.ts'

describe('a conversation', () => {
  it('has the set-up of the session before each of its transactions, line by line', () => {
    const said = new Conversation()
    said.add('<', '220 mx.example')
    said.open()
    said.add('>', 'MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n')
    said.add('<', '250-one\n250 two')
    assert.deepEqual(said.lines, ['< 220 mx.example', '> MAIL FROM:<a@x>', '> RCPT TO:<b@y>', '< 250-one', '< 250 two'])
    said.next()
    said.add('!', 'mail: timeout')
    assert.deepEqual(said.lines, ['< 220 mx.example', '! mail: timeout'])
  })

  it('keeps the begin and the end of a long one', () => {
    const said = new Conversation()
    for (let number = 0; number < 1000; number++) said.add('<', `250 ${number}`)
    said.add('<', '421 bye')
    const { lines } = said
    assert.equal(lines.length, 41)
    assert.equal(lines[0], '< 250 0')
    assert.equal(lines[20], '…')
    assert.equal(lines.at(-1), '< 421 bye')
  })

  it('shows UTF-8 as text, and nothing that could steer a terminal', () => {
    const said = new Conversation()
    said.add('<', Buffer.from('550 宛先不明 \x1b[2J\x9b').toString('latin1'))
    assert.deepEqual(said.lines, ['< 550 宛先不明 ?[2J?'])
    said.next()
    said.add('<', `250 ${'x'.repeat(1000)}`)
    assert.equal(said.lines[0]!.length, 303)
  })
})
