import assert from 'node:assert/strict'
import { isStsHost, readStsPolicy, readStsRecord } from '../../src/tls/sts-text.ts'

const policy = (...lines: readonly string[]) => lines.join('\r\n')
const sound = ['version: STSv1', 'mode: enforce', 'mx: mx.example', 'max_age: 86400']

describe('the record that announces an MTA-STS policy', () => {
  for (const [texts, id] of [
    [['v=STSv1; id=20160831085700Z;'], '20160831085700Z'],
    [['v=STSv1;id=1'], '1'],
    [['v=STSv1 ; x=y; id = abc ;'], 'abc'],
    [['v=spf1 ~all', 'v=STSv1; id=1;'], '1'],
    [['v=STSv1; id=1;', 'v=STSv1; id=1;'], null],
    [['v=STSv2; id=1;'], null],
    [['id=1; v=STSv1;'], null],
    [['v=STSv1;'], null],
    [['v=STSv1; id=with-dash'], null],
    [[`v=STSv1; id=${'a'.repeat(33)}`], null],
    [[], null],
  ] as const)
    it(`${JSON.stringify(texts)} has ${id === null ? 'no id' : `the id ${id}`}`, () =>
      assert.equal(readStsRecord(texts), id))
})

describe('an MTA-STS policy', () => {
  it('is read whatever the line ends, the order and the fields we do not know', () => {
    const text = 'max_age: 60\nmx: MX1.Example\nx-later: y\nversion: STSv1\nmx:*.example  \nmode: testing\n\n'
    assert.deepEqual(readStsPolicy(text), {
      ...{ mode: 'testing', mx: ['mx1.example', '*.example'], maxAge: 60 },
      lines: ['max_age: 60', 'mx: MX1.Example', 'x-later: y', 'version: STSv1', 'mx:*.example', 'mode: testing'],
    })
  })

  it('needs no mx in mode none, and is bound to a year', () => {
    const read = readStsPolicy(policy('version: STSv1', 'mode: none', 'max_age: 9999999999'))
    assert.deepEqual(typeof read === 'string' ? read : [read.mode, read.maxAge], ['none', 31_557_600])
  })

  it('counts the first of a field that stands there twice', () => {
    const read = readStsPolicy(policy(...sound, 'mode: none', 'max_age: 1'))
    assert.deepEqual(typeof read === 'string' ? read : [read.mode, read.maxAge], ['enforce', 86_400])
  })

  for (const [text, problem] of [
    ['', /version/],
    ['<html>not found</html>', /key: value/],
    [policy('version: STSv2', ...sound.slice(1)), /version/],
    [policy('version: STSv1', 'mode: enforced', 'mx: mx.example', 'max_age: 1'), /mode/],
    [policy('version: STSv1', 'mode: enforce', 'max_age: 1'), /names no mx/],
    [policy('version: STSv1', 'mode: enforce', 'mx: mx.example'), /max_age/],
    [policy('version: STSv1', 'mode: enforce', 'mx: mx.example', 'max_age: -1'), /max_age/],
    [policy('version: STSv1', 'mode: enforce', 'mx: m*.example', 'max_age: 1'), /host name or pattern/],
    [policy('version: STSv1', 'mode: enforce', 'mx: *', 'max_age: 1'), /host name or pattern/],
    [policy(...sound, ...Array.from({ length: 200 }, (_, i) => `mx: mx${i}.example`)), /more than 200 lines/],
  ] as const)
    it(`${JSON.stringify(text.slice(0, 60))} is none`, () => assert.match(String(readStsPolicy(text)), problem))

  it('names hosts, a wildcard for one label', () => {
    const said = { mx: ['mx1.example', '*.mail.example'] }
    const named = ['mx1.example', 'MX1.Example.', 'a.mail.example']
    const notNamed = ['mx2.example', 'mail.example', 'a.b.mail.example', 'mx1.example.evil']
    assert.deepEqual(
      [...named, ...notNamed].filter(host => isStsHost(said, host)),
      named,
    )
  })
})
