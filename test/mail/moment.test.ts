import assert from 'node:assert/strict'
import { readMoment } from '../../src/mail/moment.ts'

const nine = Date.UTC(2026, 0, 15, 0, 0, 0)

describe('a moment', () => {
  for (const text of [
    '2026-01-15T09:00:00+09:00',
    '2026-01-15T00:00:00Z',
    '2026-01-15t00:00:00.75z',
    '2026-01-15 09:00+09:00',
    ' 2026-01-14T19:00:00-05:00 ',
    'Thu, 15 Jan 2026 09:00:00 +0900',
    'Thu, 15 Jan 2026 09:00:00 +0900 (JST)',
    '15 Jan 2026 09:00 +0900',
    '15 JAN 2026 09:00:00 JST',
    'thu,15 Jan 2026 00:00:00 GMT',
  ])
    it(`is read from ${text}`, () => assert.equal(readMoment(text), nine))

  for (const text of [
    '',
    'tomorrow',
    '2026-01-15',
    '2026-01-15T09:00:00',
    '2026-02-30T09:00:00Z',
    '2026-13-01T09:00:00Z',
    '2026-01-15T24:00:00Z',
    '2026-01-15T09:60:00Z',
    '2026-01-15T09:00:00+24:00',
    '1768435200',
    'Fri, 15 Jan 2026 09:00:00 +0900',
    '15 Foo 2026 09:00:00 +0900',
    '15 Jan 2026 09:00:00',
    '15 Jan 26 09:00:00 +0900',
    'Thu, 31 Feb 2026 09:00:00 +0900',
  ])
    it(`is not read from "${text}"`, () => assert.equal(readMoment(text), null))

  it('at a leap second is the second before', () => {
    assert.equal(readMoment('2016-12-31T23:59:60Z'), Date.UTC(2016, 11, 31, 23, 59, 59))
  })
})
