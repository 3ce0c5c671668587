/**
 * What the debug log shows of a conversation.
 */
import assert from 'node:assert/strict'
import { withoutSecrets } from '../../src/submission/transcript.ts'

const secret = Buffer.from('\0user\0a password').toString('base64')

describe('the transcript of a session', () => {
  for (const line of [
    'S: 334 VXNlcm5hbWU6',
    'C: EHLO crm.example',
    'C: MAIL FROM:<a@ours.example> SIZE=10',
    'C: data',
    'C: AUTH PLAIN',
    'C: AUTH PLAIN /* secured */',
    'C: /* secured */',
  ])
    it(`shows ${line}`, () => assert.equal(withoutSecrets(line), line))

  for (const [what, line] of [
    ['what is sent behind a refused AUTH', secret],
    ['a response without a mechanism', `AUTH ${secret}`],
    ['a tab where a space belongs', `AUTH\tPLAIN\t${secret}`],
    ['a space before the command', ` AUTH PLAIN ${secret}`],
    ['a forgotten space', `AUTHPLAIN ${secret}`],
    ['several lines in one', `DATAX\nPLAIN ${secret}`],
  ] as const)
    it(`tells ${what} by its length only`, () => {
      assert.equal(withoutSecrets(`C: ${line}`), `C: (${line.length} characters that are no command)`)
    })
})
