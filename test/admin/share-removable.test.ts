/**
 * Records of former keys on the share page.
 */
import assert from 'node:assert/strict'
import { sharePage } from '../../src/admin/share/page.ts'
import type { RemovableRecord } from '../../src/domains/setup-sheet.ts'

function page(removable: readonly RemovableRecord[], language: 'ja' | 'en'): string {
  const sheet = { domain: 'shop.example', zone: 'shop.example', provider: null, records: [], removable }
  return sharePage({
    sheet: { ...sheet, published: 0, needed: 0, checkedAt: null },
    ...{ nameServers: [], path: '/share/t', language, timeZone: 'UTC', now: 0, expiresAt: 1, waitMs: 0 },
  })
}

describe('the records of former keys on a share page', () => {
  const old = { type: 'TXT', name: 'old._domainkey.shop.example', host: 'old._domainkey' } as const

  for (const [language, title] of Object.entries({ ja: '削除できるレコード', en: 'Records that can be deleted' }))
    it(`are shown to be deletable in ${language}, and nothing is said where there are none`, () => {
      const shown = page([old], language as 'ja' | 'en')
      assert.ok(shown.includes(title))
      assert.match(shown, /<code translate="no">old\._domainkey<\/code> TXT/)
      assert.ok(shown.includes(old.name))
      const none = page([], language as 'ja' | 'en')
      assert.ok(!none.includes(title))
      assert.match(none, /<div id="removable" data-live><\/div>/, 'the piece is there to be filled in')
    })
})
