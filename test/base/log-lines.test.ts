import assert from 'node:assert/strict'
import pino from 'pino'
import { systemClock } from '../../src/base/clock.ts'
import { openForwardedLog } from '../../src/base/log.ts'

/** The line as pino writes it with the options of our log. */
function byPino(bound: object, fields: object, text: string): Record<string, unknown> {
  const lines: string[] = []
  const options = {
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    messageKey: 'text',
  }
  pino(options, { write: line => lines.push(line) })
    .child(bound)
    .info(fields, text)
  return JSON.parse(lines[0]!)
}

async function byOurs(bound: object, fields: object, text: string): Promise<Record<string, unknown>> {
  let lines = ''
  const sink = openForwardedLog('info', systemClock, more => {
    lines += more
  })
  sink.log.child({ ...bound }).info({ ...fields }, text)
  await sink.close()
  assert.match(lines, /^\{[^\n]*\}\n$/)
  return JSON.parse(lines)
}

describe('a log line', () => {
  const cases: readonly [object, object, string][] = [
    [{}, {}, 'nothing but a text'],
    [{ thread: 'one' }, { event: 'delivered', size: 4900, tls: null, missing: undefined }, 'with fields'],
    [
      { thread: 'a "quoted" name' },
      { reply: '250 2.0.0 Ok\r\n"x"\\', from: '日本語@例え.jp', list: [1, 'b'] },
      'quote " \\ \u2028',
    ],
    [{ a: 1 }, { nan: Number.NaN, nested: { deep: { er: true } }, lone: '\ud800' }, '\ud800 lone'],
    [{}, { err: new Error('told with its stack') }, 'an error'],
  ]

  for (const [bound, fields, text] of cases)
    it(`says what pino would say: ${JSON.stringify(text)}`, async () => {
      const [{ time, ...ours }, { time: theirTime, ...theirs }] = [
        await byOurs(bound, fields, text),
        byPino(bound, fields, text),
      ]
      assert.deepEqual(ours, theirs)
      assert.deepEqual(Object.keys(ours), Object.keys(theirs))
      assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.equal(String(time).length, String(theirTime).length)
    })
})
