/**
 * What store and domains refuse is told in both languages: every sentence that the source has.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { toProblem } from '../../src/admin/problem.ts'
import { inJapanese } from '../../src/admin/told-in-japanese.ts'
import { Conflict, NotFound } from '../../src/store/store.ts'

const root = join(import.meta.dirname, '../../src')
const thrown = /new (?:NotFound|Conflict|DomainInvalid)\(\s*(`[^`]*`|'[^']*')/g
const sentences = globSync('**/*.ts', { cwd: root }).flatMap(file =>
  [...readFileSync(join(root, file), 'utf8').matchAll(thrown)].map(([, text]) =>
    text!.slice(1, -1).replace(/\$\{[^}]*\}/g, 'x.example'),
  ),
)

describe('what store and domains refuse', () => {
  it('is told in Japanese too, with the names that are in it', () => {
    assert.ok(sentences.length > 30, `${sentences.length}`)
    for (const sentence of sentences) {
      const ja = inJapanese(sentence)
      assert.ok(ja !== null, `no Japanese for: ${sentence}`)
      assert.match(ja, /[\u3040-\u30ff]/)
      assert.doesNotMatch(ja, /\$\d/)
      assert.equal(ja.includes('x.example'), sentence.includes('x.example'), sentence)
    }
    assert.equal(inJapanese('nobody says this'), null)
  })

  it('is a problem that names who holds what, and what is left', () => {
    const taken = toProblem(new Conflict('a.example is registered by account 01j', '01j'))
    assert.equal(taken.parts.detail.ja, 'a.exampleはすでに登録されています。登録先アカウントのIDは01jです。')
    const left = toProblem(new Conflict('account 01j still has sender domains, queued mail', '01j'))
    assert.equal(left.parts.detail.ja, 'アカウント01jにはまだ次のものが残っています: 送信ドメイン, 配信待ちのメール')
    assert.equal(toProblem(new NotFound('there is no webhook w')).parts.detail.ja, 'Webhook wはありません。')
  })
})
