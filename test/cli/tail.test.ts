import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { systemClock } from '../../src/base/clock.ts'
import { openLog } from '../../src/base/log.ts'
import { runCli } from '../../src/cli/program.ts'
import { register } from '../../src/cli/tail.ts'
import * as deliveryLog from '../../src/outcome/delivery-log.ts'
import { makeMessage, makeOutcome } from '../outcome/make.ts'

const delivered = {
  level: 'info',
  time: '2026-01-15T03:00:00.000Z',
  event: 'delivered',
  text: 'delivered to b@example.com: 250 2.0.0 ok',
  message: '01jhm3w5c0f8k2v6q9x7r1t4ab',
  entry: '01jhm3w5c0f8k2v6q9x7r1t4ab.0',
  messageIdHeader: 'abc@crm.example.jp',
  account: 'account-1',
  senderDomain: 'example.co.jp',
  recipient: 'b@example.com',
  mode: 'spf-dkim',
  modeReason: 'spf and dkim are published',
  site: 'mx1.example.com,mx2.example.com',
  remoteMta: 'mx1.example.com',
  remoteIp: '203.0.113.25',
  reply: '250 2.0.0 ok',
  repliedBy: 'remote',
  class: 'none',
  actor: 'nobody',
  attempt: 1,
  inDoubt: false,
  totalMs: 113,
}
const bounced = {
  ...delivered,
  event: 'bounced',
  message: '01jhm3w5c0f8k2v6q9x7r1t4ac',
  entry: '01jhm3w5c0f8k2v6q9x7r1t4ac.1',
  account: '01jhm3w5c0acc0000000000002',
  senderDomain: 'other.example.jp',
  recipient: 'Nobody@example.net',
  site: 'mx.example.net',
  remoteMta: 'mx.example.net',
  remoteIp: '198.51.100.7',
  reply: '550 5.1.1 no such user',
  class: 'address-unknown',
  actor: 'recipient',
}
const deferred = {
  ...delivered,
  event: 'deferred',
  recipient: 'c@example.org',
  attempt: 3,
  reply: '451 4.4.1 connection refused: ECONNREFUSED',
  repliedBy: 'relay',
  class: 'network',
  actor: 'remote',
  nextAttemptAt: '2026-01-15T03:15:00.000Z',
  inDoubt: true,
}
const refused = {
  level: 'info',
  time: '2026-01-15T03:00:01.000Z',
  event: 'refused',
  text: 'refused sales@example.jp: 550 5.7.1 sales@example.jp is not a sender address of this account',
  client: '192.0.2.10',
  username: 'user-acme',
  credential: '01jhm3w5c0crd0000000000000',
  account: '01jhm3w5c0acc0000000000003',
  sender: 'sales@example.jp',
  reply: '550 5.7.1 sales@example.jp is not a sender address of this account',
  check: 'sender-is-yours',
  reason: 'not registered',
}
const refusedContent = {
  ...refused,
  time: '2026-01-15T03:05:00.000Z',
  text: 'refused news@example.jp: 552 5.3.4 too big',
  message: '01jhm3w5c0f8k2v6q9x7r1t4ad',
  sender: 'news@example.jp',
  from: 'shop@shop.example.jp',
  senderDomain: 'shop.example.jp',
  recipients: 4,
  to: ['d1@example.com', 'd2@example.com', 'd3@example.org', 'd4@example.org'],
  reply: '552 5.3.4 too big',
  check: 'size',
}

describe('kitte tail', () => {
  it('shows when, what, to whom, what was said and what comes next', async () => {
    using log = openFolder([delivered, bounced, deferred, refused])
    const { out, code } = await log.tail('--no-follow')
    assert.equal(code, 0)
    assert.deepEqual(out.split('\n').slice(0, -1).map(spaced), [
      '2026-01-15 12:00:00 delivered b@example.com mx1.example.com: 250 2.0.0 ok [01jhm3w5c0f8k2v6q9x7r1t4ab.0] 113 ms, spf-dkim',
      '2026-01-15 12:00:00 bounced Nobody@example.net mx.example.net: 550 5.1.1 no such user [01jhm3w5c0f8k2v6q9x7r1t4ac.1] address-unknown; to act: recipient',
      '2026-01-15 12:00:00 deferred c@example.org 451 4.4.1 connection refused: ECONNREFUSED [01jhm3w5c0f8k2v6q9x7r1t4ab.0] network; try 4 at 2026-01-15 12:15:00, in doubt: may come twice',
      '2026-01-15 12:00:01 refused sales@example.jp: 550 5.7.1 sales@example.jp is not a sender address of this account user-acme at 192.0.2.10; check sender-is-yours; not registered',
    ])
  })

  const filters: readonly (readonly [string, readonly string[]])[] = [
    ['--domain example.com', ['delivered']],
    ['--domain EXAMPLE.net', ['bounced']],
    ['--sender-domain other.example.jp', ['bounced']],
    ['--account 01jhm3w5c0acc0000000000002', ['bounced']],
    ['--site mx2.example.com', ['delivered', 'deferred']],
    ['--site 198.51.100', ['bounced']],
    ['--outcome bounced,refused', ['bounced', 'refused']],
    ['--recipient nobody@example.net', ['bounced']],
    ['--recipient nobody@ｅｘａｍｐｌｅ.net', ['bounced']],
    ['--domain ｅｘａｍｐｌｅ.net', ['bounced']],
    ['--message 01jhm3w5c0f8k2v6q9x7r1t4ac', ['bounced']],
    ['--message <abc@crm.example.jp> --outcome delivered', ['delivered']],
    ['--why address-unknown', ['bounced']],
    ['--why econnrefused', ['deferred']],
    ['--why remote', ['deferred']],
    ['--why registered', ['refused']],
    ['--why sender-is-yours', ['refused']],
    ['--why 5.7.1', ['refused']],
    ['--account 01jhm3w5c0acc0000000000003', ['refused']],
    ['--sender-domain example.jp', ['refused']],
    ['--sender SALES@example.jp', ['refused']],
    ['--credential user-acme', ['refused']],
    ['--credential 01jhm3w5c0crd0000000000000', ['refused']],
    ['--since 2026-01-15T03:00:01Z', ['refused']],
    ['--until 2026-01-15T12:00:00+09:00 --outcome delivered', ['delivered']],
    ['--lines 1', ['refused']],
    ['--lines 0', []],
    ['--lines 2 --outcome delivered,bounced,deferred', ['bounced', 'deferred']],
  ]
  for (const [args, expected] of filters) {
    it(`with ${args} shows ${expected.join(' and ') || 'nothing'}`, async () => {
      using log = openFolder([delivered, bounced, deferred, refused])
      const { out } = await log.tail('--json', '--no-follow', ...args.split(' '))
      const lines = out === '' ? [] : out.trimEnd().split('\n')
      assert.deepEqual(
        lines.map(line => JSON.parse(line).event),
        expected,
      )
    })
  }

  it('finds a refused mail by each of its recipients, its senders and its time', async () => {
    using log = openFolder([delivered, refused, refusedContent])
    const found = async (...args: string[]) => (await log.tail('--no-follow', ...args)).out.split('\n').slice(0, -1)
    const line = (await found('--recipient', 'd4@example.org'))[0]!
    assert.equal(
      spaced(line),
      '2026-01-15 12:05:00 refused news@example.jp: 552 5.3.4 too big [01jhm3w5c0f8k2v6q9x7r1t4ad] From: shop@shop.example.jp; to d1@example.com, d2@example.com, d3@example.org …; user-acme at 192.0.2.10; check size; not registered',
    )
    for (const args of [
      ['--domain', 'example.org'],
      ['--sender-domain', 'shop.example.jp'],
      ['--sender', 'shop@shop.example.jp'],
      ['--sender', 'news@example.jp'],
      ['--since', '2026-01-15T03:01:00Z'],
    ])
      assert.deepEqual(await found(...args), [line], args.join(' '))
    assert.deepEqual(await found('--sender-domain', 'example.jp'), [(await found('--why', 'sender-is-yours'))[0]])
  })

  it('reads back to the moment that is asked for, however many lines that are, and no further', async () => {
    const at = (second: number) => new Date(Date.UTC(2026, 0, 15, 3, 0, second)).toISOString()
    using log = openFolder(Array.from({ length: 200 }, (_, n) => ({ ...delivered, time: at(n) })))
    const times = async (...args: string[]) =>
      (await log.tail('--no-follow', '--json', ...args)).out
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line).time)
    assert.deepEqual(
      await times('--since', at(120)),
      Array.from({ length: 80 }, (_, n) => at(120 + n)),
    )
    assert.deepEqual(await times('--since', at(10), '--until', at(12)), [at(10), at(11), at(12)])
    assert.deepEqual(await times('--since', at(10), '--lines', '1'), [at(199)])
    const { code, err } = await log.tail('--since', 'yesterday')
    assert.equal(code, 1)
    assert.match(err, /--since yesterday says no time\n.*--since 30m, 2h or 1d/)
  })

  it('with --json passes the lines of the log on as they are', async () => {
    using log = openFolder([delivered])
    assert.equal((await log.tail('--json', '--no-follow')).out, `${JSON.stringify(delivered)}\n`)
  })

  it('reads back over rotated files, and lines longer than what it reads at once', async () => {
    const numbered = (n: number) => ({ ...delivered, message: `m${n}`, reason: n % 7 === 0 ? 'x'.repeat(200_000) : '' })
    using log = openFolder(Array.from({ length: 10 }, (_, n) => numbered(n)))
    for (const file of [2, 10]) log.append(file, ...Array.from({ length: 10 }, (_, n) => numbered(file * 10 + n)))
    const { out } = await log.tail('--no-follow', '--json', '--lines', '25')
    const found = out
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line).message)
    const last = [
      5,
      6,
      7,
      8,
      9,
      ...Array.from({ length: 10 }, (_, n) => 20 + n),
      ...Array.from({ length: 10 }, (_, n) => 100 + n),
    ]
    assert.deepEqual(
      found,
      last.map(n => `m${n}`),
    )
  })

  it('follows what is written, over rotation, without losing or repeating a line', async () => {
    using log = openFolder([delivered])
    const tail = log.follow('--json', '--lines', '1')
    await tail.shows(1)
    const numbered = (n: number) => ({ ...delivered, message: `m${n}` })
    for (let n = 0; n < 50; n++) {
      log.append(1 + Math.floor(n / 10), numbered(n))
      if (n % 5 === 0) await tail.shows(n + 2)
    }
    await tail.shows(51)
    await tail.end()
    const found = tail
      .out()
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line).message)
    assert.deepEqual(
      found.slice(1),
      Array.from({ length: 50 }, (_, n) => `m${n}`),
    )
  })

  it('shows a line only once it is whole', async () => {
    using log = openFolder([])
    const tail = log.follow('--json')
    const line = `${JSON.stringify({ ...delivered, reason: '切手'.repeat(50) })}\n`
    const bytes = Buffer.from(line)
    log.write(1, bytes.subarray(0, 400))
    log.write(1, bytes.subarray(400, 401))
    log.write(1, bytes.subarray(401))
    await tail.shows(1)
    await tail.end()
    assert.equal(tail.out(), line)
  })

  it('starts over in a log that was begun anew', async () => {
    using log = openFolder([delivered, delivered])
    const tail = log.follow('--json', '--lines', '1')
    await tail.shows(1)
    log.replace(1, bounced)
    await tail.shows(2)
    await tail.end()
    assert.deepEqual(
      tail
        .out()
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line).event),
      ['delivered', 'bounced'],
    )
  })

  it('tells when scheduled mail will go and a closed site opens, in the time zone of the rest', async () => {
    const releaseAt = '2026-01-16T00:00:00.000Z'
    const until = 'site mx.example.com is closed until 2026-01-15T03:10:00.000Z: 421 4.3.2 busy'
    const accepted = {
      level: 'info',
      time: delivered.time,
      event: 'accepted',
      text: 'accepted from a@b.example for 2 recipients',
    }
    const closed = { level: 'warn', time: delivered.time, event: 'site-closed', text: until }
    using log = openFolder([{ ...accepted, size: 64, client: '192.0.2.10', priority: 'bulk', releaseAt }, closed])
    const { out } = await log.tail('--no-follow')
    assert.deepEqual(out.trimEnd().split('\n').map(spaced), [
      '2026-01-15 12:00:00 accepted from a@b.example for 2 recipients 64 octets from 192.0.2.10, bulk, to be sent at 2026-01-16 09:00:00',
      '2026-01-15 12:00:00 site-closed site mx.example.com is closed until 2026-01-15 12:10:00: 421 4.3.2 busy',
    ])
  })

  it('reads what the real log writes', async () => {
    using log = openFolder(null)
    const folder = join(log.dataDir, 'log')
    const sink = await openLog({ level: 'debug', stdout: false, folder, rotateMegabytes: 1, keepFiles: 2 })
    deliveryLog.settled(sink.log, makeOutcome('deferred', '450 4.2.0 greylisted'), makeMessage())
    sink.log.debug({ said: 'EHLO' }, 'a transcript that is not for this')
    sink.log.error({ err: new Error('a bug') }, 'the janitor could not purge history')
    await sink.close()
    const { out } = await log.tail('--no-follow')
    const [first, second, ...more] = out.trimEnd().split('\n').map(spaced)
    assert.match(first!, /^\S+ \S+ deferred b@example\.com mx1\.example\.com: 450 4\.2\.0 greylisted/)
    assert.match(second!, /^\S+ \S+ error the janitor could not purge history$/)
    assert.deepEqual(more, [])
  })

  it('passes over lines that were cut, and disarms what strangers wrote', async () => {
    using log = openFolder([delivered])
    log.write(1, Buffer.from('{"event":"deliv\nnull\n[1]\n'))
    log.append(1, { ...bounced, reply: '550 \u001b[2J\u0007 gone\nnext' })
    const { out } = await log.tail('--no-follow')
    assert.equal(out.trimEnd().split('\n').length, 2)
    assert.doesNotMatch(out, /[\u0007\u001b]/)
  })

  it('shows lines of other versions and programs as far as it understands them', async () => {
    const { time: _, ...timeless } = bounced
    const { nextAttemptAt: __, ...nextless } = deferred
    using log = openFolder([timeless, { ...delivered, time: 'yesterday' }, nextless, { ...delivered, time: 7 }])
    const { out, code, err } = await log.tail('--no-follow')
    assert.equal(code, 0, err)
    const lines = out.trimEnd().split('\n')
    assert.deepEqual(
      lines.map(line => /^(.*?) +(bounced|delivered|deferred) /.exec(line)?.[1]),
      ['–', 'yesterday', '2026-01-15 12:00:00', '–'],
    )
    assert.match(lines[2]!, /; try 4 at –/)
  })

  it('colours the outcome on a terminal only', async () => {
    using log = openFolder([delivered])
    assert.ok((await log.tail('--no-follow')).out.includes(' delivered '))
    const terminal = await log.onTerminal('--no-follow')
    assert.ok(terminal.out.includes('\u001b[32mdelivered\u001b[39m'), JSON.stringify(terminal.out))
  })

  it('says what is wrong with a folder without log, an unknown outcome, a bad count', async () => {
    using log = openFolder(null)
    const missing = await log.tail('--no-follow')
    assert.deepEqual([missing.code, /there is no delivery log in .*log/.test(missing.err)], [1, true])
    const outcome = await log.tail('--outcome', 'eaten')
    assert.deepEqual([outcome.code, /there is no outcome eaten[\s\S]*delivered, deferred/.test(outcome.err)], [1, true])
    assert.equal((await log.tail('--lines', 'all')).code, 1)
  })
})

/** A data folder with a configuration; `lines` in its first log file, null: no log folder. */
function openFolder(lines: readonly object[] | null) {
  const dataDir = mkdtempSync(join(tmpdir(), 'kitte-tail-'))
  const file = (n: number) => join(dataDir, 'log', `delivery.${n}.log`)
  const append = (n: number, ...added: readonly object[]) => {
    appendFileSync(file(n), added.map(line => `${JSON.stringify(line)}\n`).join(''))
  }
  writeFileSync(join(dataDir, 'kitte.yaml'), `dataDir: ${JSON.stringify(dataDir)}\ntimeZone: Asia/Tokyo\n`)
  if (lines !== null) {
    mkdirSync(join(dataDir, 'log'))
    append(1, ...lines)
  }
  const run = (args: readonly string[], isTTY: boolean, stop = new AbortController().signal) => {
    const [output, errors] = [remembering(isTTY), remembering(false)]
    const context = {
      input: new PassThrough().end(),
      output: output.stream,
      errors: errors.stream,
      clock: systemClock,
      variables: {},
      start: async () => {},
    }
    const argv = ['--config', join(dataDir, 'kitte.yaml'), 'tail', ...args]
    const ended = runCli(argv, context, [(program, given) => register(program, given, stop)])
    return { ended, output, errors }
  }
  const ended = async (args: readonly string[], isTTY: boolean) => {
    const { ended, output, errors } = run(args, isTTY)
    return { code: await ended, out: output.text(), err: errors.text() }
  }
  return {
    dataDir,
    append,
    write: (n: number, bytes: Buffer) => appendFileSync(file(n), bytes),
    replace(n: number, line: object) {
      writeFileSync(join(dataDir, 'log', 'new'), `${JSON.stringify(line)}\n`)
      renameSync(join(dataDir, 'log', 'new'), file(n))
    },
    tail: (...args: string[]) => ended(args, false),
    onTerminal: (...args: string[]) => ended(args, true),
    follow(...args: string[]) {
      const stop = new AbortController()
      const { ended, output } = run(args, false, stop.signal)
      return {
        out: output.text,
        shows: (count: number) => output.until(text => text.split('\n').length > count),
        async end() {
          stop.abort()
          assert.equal(await ended, 0)
        },
      }
    },
    [Symbol.dispose]: () => rmSync(dataDir, { recursive: true }),
  }
}

function remembering(isTTY: boolean) {
  let text = ''
  let waiting: { when: (text: string) => boolean; resolve: () => void }[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      for (const { when, resolve } of waiting) if (when(text)) resolve()
      waiting = waiting.filter(({ when }) => !when(text))
      done()
    },
  })
  const until = (when: (text: string) => boolean) =>
    new Promise<void>(resolve => {
      if (when(text)) resolve()
      else waiting.push({ when, resolve })
    })
  return { stream: Object.assign(stream, { isTTY, getColorDepth: () => 8 }), text: () => text, until }
}

function spaced(line: string): string {
  return line.replace(/ +/g, ' ')
}
