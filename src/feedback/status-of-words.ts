/**
 * The status that words without a code or status stand for: first the phrases of bounces, then what a server would mean that
 * said them at RCPT (`outcome/rules/`, in a dozen languages). Null: they say nothing that is known.
 */
import type { OutcomeClass } from '../mail/outcome.ts'
import { explain } from '../outcome/classify.ts'
import { statusOfPhrase } from './phrases.ts'

interface Told {
  readonly digit: '4' | '5'
  readonly detail: string
}

/** RFC 3463. Classes that words alone don't prove are left out. */
const details: Partial<Readonly<Record<OutcomeClass, string>>> = {
  'address-unknown': '1.1',
  'domain-unknown': '1.2',
  'mailbox-full': '2.2',
  'mailbox-unavailable': '2.1',
  'message-too-large': '3.4',
  'spam-content': '7.1',
  'blocked-by-recipient': '7.1',
}

export function statusOfWords(text: string): Told | null {
  return statusOfPhrase(text) ?? statusOfRules(text)
}

function statusOfRules(text: string): Told | null {
  const reply = { code: 550, detail: '0.0', text, from: 'remote' } as const
  const { rule, class: found } = explain({ reply, phase: null, route: 'mx', site: null })
  const detail = rule?.when.text === undefined ? undefined : details[found]
  return detail === undefined ? null : { digit: '5', detail }
}
