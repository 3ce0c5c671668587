/**
 * MTA-STS as text: the record that announces a policy (RFC 8461 §3.1), the policy itself (§3.2), and whether a host is
 * named in it (§4.1). Pure; null, or a sentence, for what is none.
 */
import type { HostName } from '../mail/ids.ts'
import type { StsMode, StsPolicy } from '../mail/sts-policy.ts'
import { fits } from './dns-id.ts'

export type StsPolicyText = Pick<StsPolicy, 'mode' | 'mx' | 'lines'> & {
  /** Seconds. */
  readonly maxAge: number
}

const modes: readonly StsMode[] = ['enforce', 'testing', 'none']
/** §3.2: one year. */
const longestMaxAge = 31_557_600
/** No honest policy has more; each line is kept and reported. */
const mostLines = 200
const domainName =
  /^(?:\*\.)?(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** The `id`; null: there is no policy, since none or several of the records announce one. */
export function readStsRecord(texts: readonly string[]): string | null {
  const announcing = texts.filter(text => /^v=STSv1[ \t]*(?:;|$)/.test(text))
  if (announcing.length !== 1) return null
  const fields = announcing[0]!
    .split(';')
    .slice(1)
    .map(field => field.trim())
  const ids = fields.flatMap(field => /^id[ \t]*=[ \t]*([a-zA-Z0-9]{1,32})$/.exec(field)?.[1] ?? [])
  return ids[0] ?? null
}

/** A sentence says what is wrong with it. Of a field that stands there twice the first counts, `mx` apart. */
export function readStsPolicy(text: string): StsPolicyText | string {
  const lines = text
    .split(/\r?\n/)
    .map(line => line.trimEnd())
    .filter(line => line !== '')
  if (lines.length > mostLines) return `it has more than ${mostLines} lines`
  const fields = lines.map(line => /^([a-zA-Z0-9][a-zA-Z0-9_.-]{0,31}):[ \t]*(.*)$/.exec(line))
  if (fields.includes(null)) return 'a line is no "key: value"'
  const valuesOf = (key: string) => fields.flatMap(field => (field![1] === key ? field![2]!.trim() : []))
  const [version, mode, maxAge] = ['version', 'mode', 'max_age'].map(key => valuesOf(key)[0])
  const mx = valuesOf('mx').map(value => value.toLowerCase())
  if (version !== 'STSv1') return 'its version is not STSv1'
  const known = modes.find(one => one === mode)
  if (known === undefined) return 'its mode is not enforce, testing or none'
  if (maxAge === undefined || !/^\d{1,10}$/.test(maxAge)) return 'its max_age is no number of seconds'
  if (mx.length === 0 && known !== 'none') return 'it names no mx'
  const wrong = mx.find(pattern => !domainName.test(pattern))
  if (wrong !== undefined) return 'an mx is no host name or pattern'
  return { mode: known, mx, lines, maxAge: Math.min(Number(maxAge), longestMaxAge) }
}

export function isStsHost({ mx }: Pick<StsPolicy, 'mx'>, host: HostName): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  return mx.some(pattern => fits(pattern, name))
}
