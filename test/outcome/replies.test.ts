/**
 * Replies of many providers and what each means: the table of the field, and one that no rule was written for.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { matches, parsePhrase, readWords } from '../../src/base/phrase.ts'
import type { Phase } from '../../src/mail/attempt-result.ts'
import type { OutcomeClass } from '../../src/mail/outcome.ts'
import { parseReply } from '../../src/mail/reply.ts'
import { classes } from '../../src/outcome/classes.ts'
import { classify, explain } from '../../src/outcome/classify.ts'
import { ruleGroups } from '../../src/outcome/rules/index.ts'

interface Row {
  readonly provider: string
  readonly site: string | null
  readonly phase: Phase
  readonly expected: string
  readonly actor: string
  readonly raw: string
}

describe('replies of the field', () => {
  const rows = readTable('field.txt')

  it('are at least 300, of at least 15 providers', () => {
    assert.ok(rows.length >= 300, `${rows.length}`)
    assert.ok(new Set(rows.map(({ provider }) => provider)).size >= 15)
  })

  for (const row of rows) it(titleOf(row), () => assert.deepEqual(meaningOf(row), [row.expected, row.actor]))
})

/**
 * First try, before any rule was written for them, class and actor right: 46 of 62 (held-out), 44 of 60 (2), 118 of 168 (3), 73
 * of 113 (4: terse servers), 76 of 99 (5), 74 of 82 (6), 46 of 50 (7), 12 of 16 (8; who must act: 15). Labels of mends count as
 * failures. 6 and 7 flatter: large providers from memory, and many replies like earlier ones (without these 56 of 62, 24 of 26).
 * 8 was taken without choosing. From the third on, who labelled also wrote rules. Since then they are learned from, and stand
 * here so that they stay so: they say nothing any more about replies that are new.
 */
for (const number of ['', '-2', '-3', '-4', '-5', '-6', '-7', '-8'])
  describe(`replies gathered after the rules stood, held-out${number}`, () => {
    for (const row of readTable(`held-out${number}.txt`))
      it(titleOf(row), () => assert.deepEqual(meaningOf(row), [row.expected, row.actor]))
  })

/**
 * First try, class and actor right (who must act alone): of A, before any rule was changed for it, 172 of 201 (181); of B, after
 * rules were learned from A, 117 of 134 (127; without them 115); of C, after B as well, 105 of 145 (122; without them 103);
 * of D, after C as well, 75 of 100 (87; without them 74): what is learned from one set helps the next by a hundredth. Labels
 * were set before the first measure, with all classes that could be defended (the first of them was met by 135, 98 and 86); C and D left out
 * whatever resembled an earlier reply. Who labelled also wrote rules. Of A and B what help pages tell stands here, and what the
 * others taught in replies of our own wording.
 */
for (const part of ['a', 'b', 'own'])
  describe(`replies labelled before the rules saw them, and what they taught: ${part}`, () => {
    for (const row of readTable(`labelled-${part}.txt`))
      it(titleOf(row), () => assert.deepEqual(meaningOf(row), [row.expected, row.actor]))
  })

describe('replies with the words of an unknown recipient that say something else', () => {
  for (const row of readTable('not-unknown.txt'))
    it(titleOf(row), () => {
      assert.deepEqual(meaningOf(row), [row.expected, row.actor])
      assert.equal(classes[row.expected as OutcomeClass].suppressible, false)
    })
})

describe('the rules', () => {
  const rules = ruleGroups.flatMap(group => group.rules)

  it('have an id of their own, a reason and a source', () => {
    assert.equal(new Set(rules.map(({ id }) => id)).size, rules.length)
    for (const { id, reason } of rules) assert.ok(reason !== '' && /^[a-z0-9-]+$/.test(id), id)
    for (const { source } of ruleGroups) assert.match(source, /\w.{9,}/)
  })

  it('name a status as it stands in a reply, and hosts in lower case', () => {
    for (const { id, when } of rules) {
      for (const status of when.status ?? []) assert.match(status, /^\d\.(?:\d{1,3}|\*)$/, id)
      for (const site of when.sites ?? []) assert.match(site, /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/, id)
    }
  })

  it('ask for something, all of them', () => {
    for (const { id, when } of rules) assert.ok(Object.keys(when).length > 0, id)
  })

  it('that are the last resort leave no 4yz or 5yz of RFC 5321 without a class', () => {
    for (const code of [421, 450, 451, 452, 455, 500, 501, 502, 503, 504, 550, 551, 552, 553, 554, 555])
      assert.notEqual(
        explain({ reply: parseReply(`${code} nothing`)!, phase: 'rcpt', route: 'mx', site: null }).rule,
        null,
      )
  })
})

/** Each is what a pattern with nested repetition would take for ever on; none is more than a reply may hold. */
const hostile: readonly (readonly [string, string])[] = [
  ['one word again and again', 'user '.repeat(1200)],
  [
    'the beginnings of many phrases, never the ends',
    'user mailbox account address exceeded invalid your ip sender domain '.repeat(90),
  ],
  ['one endless word', 'a'.repeat(6000)],
  ['nothing but signs at', '@'.repeat(6000)],
  ['letters and punctuation in turn', 'x.'.repeat(3000)],
  ['all kinds of digits', '5.7.1 (#5.7.1) 4.7.1 '.repeat(280)],
  ['control characters and Japanese', '\u0000受信拒否\u0007'.repeat(900)],
]

describe('a reply that was written to keep a rule busy', () => {
  for (const [name, text] of hostile)
    it(`is searched within a bound: ${name}`, () => {
      const words = readWords(text)
      assert.ok(words.words.length <= 3000 && words.text.length <= 6000)
      for (const code of [450, 550]) {
        const reply = { code, detail: '0.0', text, from: 'remote' } as const
        assert.ok(explain({ reply, phase: 'dot', route: 'mx', site: null }).class)
      }
    })

  it('costs no more than its words times the parts of the phrases: twice the text, at most about twice the steps', () => {
    const steps = (repeats: number) => {
      let looked = 0
      const read = readWords('user mailbox account '.repeat(repeats))
      const counted = new Proxy(read.words as string[], {
        get(target, key, receiver) {
          if (typeof key === 'string' && /^\d+$/.test(key)) looked++
          return Reflect.get(target, key, receiver)
        },
      })
      const phrase = parsePhrase('user|x * mailbox|y * account|z * user|w * mail* * nowhere|acc*')
      assert.ok(typeof phrase === 'object')
      matches(phrase, { ...read, words: counted })
      return looked
    }
    assert.ok(steps(100) > 100, 'the count counts')
    assert.ok(steps(200) <= 2.1 * steps(100), `${steps(100)} ${steps(200)}`)
  })
})

function titleOf({ provider, phase, raw, expected }: Row): string {
  return `${provider}, ${phase}: ${raw.replaceAll('\n', ' / ').slice(0, 100)} → ${expected}`
}

/** Class and actor; the class of the judgement is the one that is explained. */
function meaningOf({ phase, raw, site }: Row): [string, string] {
  const reply = parseReply(raw)
  assert.ok(reply, `no well-formed reply: ${raw}`)
  const route = site?.startsWith('smtp:') ? 'own-smtp' : 'mx'
  const judged = classify({ result: { address: 'b@example.com', reply, phase }, route, site })
  assert.ok(explain({ reply, phase, route, site }).rule, 'no rule fits')
  assert.equal(judged.action === 'bounced' ? reply.code >= 500 : judged.action === 'deferred', true)
  return [judged.class, judged.actor]
}

function readTable(name: string): Row[] {
  let [provider, site]: [string, string | null] = ['', null]
  return readFileSync(join(import.meta.dirname, 'replies', name), 'utf8')
    .split('\n')
    .flatMap(line => {
      if (line.startsWith('== ')) {
        const [title = '', host = ''] = line.slice(3).split('|')
        provider = title.trim()
        site = host.trim() || null
        return []
      }
      if (line === '' || line.startsWith('#')) return []
      const [phase, expected = '', actor = '', ...words] = line.split(' ')
      return [{ provider, site, phase: phase as Phase, expected, actor, raw: words.join(' ').replaceAll(' / ', '\n') }]
    })
}
