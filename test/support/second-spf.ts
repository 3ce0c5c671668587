/**
 * A second SPF evaluation, written from RFC 7208 alone and asking by node:dns: the receiver that judges our judgements.
 *
 * Strict: whatever the RFC calls an error is one. It shares nothing with the program under test.
 */
import type { Resolver } from 'node:dns/promises'
import { BlockList, isIPv4, isIPv6 } from 'node:net'

export type SpfResult = 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror'

class SpfError extends Error {
  readonly result: 'temperror' | 'permerror'
  constructor(result: 'temperror' | 'permerror') {
    super(result)
    this.result = result
  }
}

interface Budget {
  lookups: number
  voids: number
}

const qualifiers = { '+': 'pass', '-': 'fail', '~': 'softfail', '?': 'neutral' } as const

export async function secondSpf(dns: Resolver, ip: string, domain: string, sender: string): Promise<SpfResult> {
  try {
    return await checkHost({ dns, ip, sender, budget: { lookups: 0, voids: 0 } }, domain)
  } catch (error) {
    if (error instanceof SpfError) return error.result
    throw error
  }
}

interface Check {
  readonly dns: Resolver
  readonly ip: string
  readonly sender: string
  readonly budget: Budget
}

/** §4 */
async function checkHost(check: Check, domain: string): Promise<SpfResult> {
  const texts = (await ask(() => check.dns.resolveTxt(domain))) ?? []
  const records = texts.map(parts => parts.join('')).filter(text => /^v=spf1(?: |$)/i.test(text))
  if (records.length === 0) return 'none'
  if (records.length > 1) throw new SpfError('permerror')
  const terms = records[0]!
    .split(/ +/)
    .slice(1)
    .filter(term => term !== '')
  const parsed = terms.map(parse)
  const redirects = parsed.filter(({ name, isModifier }) => isModifier && name === 'redirect')
  const explanations = parsed.filter(({ name, isModifier }) => isModifier && name === 'exp')
  if (redirects.length > 1 || explanations.length > 1) throw new SpfError('permerror')
  for (const term of parsed)
    if (!term.isModifier && (await matches(check, domain, term))) return qualifiers[term.qualifier]
  const redirect = redirects[0]
  if (!redirect) return 'neutral'
  count(check)
  const result = await checkHost(check, expand(redirect.value, check, domain))
  if (result === 'none') throw new SpfError('permerror')
  return result
}

interface Term {
  readonly isModifier: boolean
  readonly qualifier: keyof typeof qualifiers
  readonly name: string
  readonly value: string
  readonly prefix: readonly [v4: number, v6: number]
}

/** §4.6.1, §5, §6: every term is read before any is evaluated. */
function parse(term: string): Term {
  const [, modifier, given] = /^([a-z][a-z0-9_.-]*)=(.*)$/i.exec(term) ?? []
  if (modifier !== undefined) {
    const name = modifier.toLowerCase()
    if ((name === 'redirect' || name === 'exp') && given === '') throw new SpfError('permerror')
    return { isModifier: true, qualifier: '+', name, value: given!, prefix: [32, 128] }
  }
  const [whole, sign, mechanism = '', value, v4, v6] =
    /^([-+~?])?([a-z]+[a-z0-9]*)(?::([^/]+(?:\/[^\d/][^/]*)*))?(?:\/(\d{1,3}))?(?:\/\/?(\d{1,3}))?$/i.exec(term) ?? []
  if (whole === undefined) return parseAddress(term)
  const name = mechanism.toLowerCase()
  if (name === 'ip4' || name === 'ip6') return parseAddress(term)
  const isHost = name === 'a' || name === 'mx'
  const isNamed = name === 'include' || name === 'exists'
  if (!isHost && !isNamed && name !== 'all' && name !== 'ptr') throw new SpfError('permerror')
  if ((isNamed && value === undefined) || (name === 'all' && value !== undefined)) throw new SpfError('permerror')
  if (!isHost && (v4 !== undefined || v6 !== undefined)) throw new SpfError('permerror')
  if (Number(v4 ?? 0) > 32 || Number(v6 ?? 0) > 128) throw new SpfError('permerror')
  if (value !== undefined && !isDomainSpec(value)) throw new SpfError('permerror')
  const prefix = [Number(v4 ?? 32), Number(v6 ?? 128)] as const
  return { isModifier: false, qualifier: (sign ?? '+') as Term['qualifier'], name, value: value ?? '', prefix }
}

/** §5.6 */
function parseAddress(term: string): Term {
  const [, sign, name, address = '', length] = /^([-+~?])?(ip4|ip6):([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(term) ?? []
  const is4 = name?.toLowerCase() === 'ip4'
  const isValid = is4 ? isIPv4(address) : isIPv6(address)
  if (name === undefined || !isValid || Number(length ?? 0) > (is4 ? 32 : 128)) throw new SpfError('permerror')
  const size = Number(length ?? (is4 ? 32 : 128))
  return {
    ...{ isModifier: false, qualifier: (sign ?? '+') as Term['qualifier'], name: name.toLowerCase(), value: address },
    prefix: [size, size],
  }
}

/** §7.1: ends in a macro or in a top label, which is neither empty nor all digits. */
function isDomainSpec(text: string): boolean {
  if (/%(?!\{[slodiphcrtv]\d*r?[.\-+,/_=]*\}|[%_-])/i.test(text)) return false
  return /(?:\}|\.(?!\d+\.?$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.?)$/i.test(text)
}

async function matches(check: Check, domain: string, term: Term): Promise<boolean> {
  if (term.name === 'all') return true
  if (term.name === 'ip4' || term.name === 'ip6') return isWithin(check.ip, term.value, term.prefix[0])
  count(check)
  const target = term.value === '' ? domain : expand(term.value, check, domain)
  switch (term.name) {
    case 'include': {
      const result = await checkHost(check, target)
      if (result === 'none') throw new SpfError('permerror')
      return result === 'pass'
    }
    case 'a':
      return isAmong(check, await addresses(check, target, true), term)
    case 'mx':
      return matchesExchange(check, target, term)
    case 'exists':
      return ((await voidable(check, () => check.dns.resolve4(target))) ?? []).length > 0
    default:
      return matchesPointer(check, target)
  }
}

async function matchesExchange(check: Check, target: string, term: Term): Promise<boolean> {
  const hosts = (await voidable(check, () => check.dns.resolveMx(target))) ?? []
  if (hosts.length > 10) throw new SpfError('permerror')
  for (const { exchange } of hosts)
    if (exchange !== '' && isAmong(check, await addresses(check, exchange, false), term)) return true
  return false
}

/** §5.5 */
async function matchesPointer(check: Check, target: string): Promise<boolean> {
  const names = (await voidable(check, () => check.dns.reverse(check.ip)).catch(() => null)) ?? []
  for (const name of names.slice(0, 10)) {
    const found = await addresses(check, name, false).catch((): string[] => [])
    if (found.includes(check.ip) && (name === target || name.endsWith(`.${target}`))) return true
  }
  return false
}

function addresses(check: Check, name: string, counts: boolean): Promise<string[]> {
  const asked = () => (isIPv4(check.ip) ? check.dns.resolve4(name) : check.dns.resolve6(name))
  return (counts ? voidable(check, asked) : ask(asked)).then(found => found ?? [])
}

function isAmong({ ip }: Check, found: readonly string[], { prefix }: Term): boolean {
  return found.some(address => isWithin(ip, address, isIPv4(ip) ? prefix[0] : prefix[1]))
}

function isWithin(ip: string, network: string, length: number): boolean {
  if (isIPv4(ip) !== isIPv4(network)) return false
  const type = isIPv4(ip) ? 'ipv4' : 'ipv6'
  const list = new BlockList()
  list.addSubnet(network, length, type)
  return list.check(ip, type)
}

/** §4.6.4 */
function count({ budget }: Check): void {
  if (++budget.lookups > 10) throw new SpfError('permerror')
}

async function voidable<T>({ budget }: Check, lookup: () => Promise<T>): Promise<T | null> {
  const found = await ask(lookup)
  if (found === null && ++budget.voids > 2) throw new SpfError('permerror')
  return found
}

/** Null: nothing is there. */
async function ask<T>(lookup: () => Promise<T>): Promise<T | null> {
  try {
    return await lookup()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTFOUND' || code === 'ENODATA') return null
    if (code === 'EBADNAME') throw new SpfError('permerror')
    throw new SpfError('temperror')
  }
}

/** §7: the macros that our zones use. */
function expand(text: string, { ip, sender }: Check, domain: string): string {
  const nibbles = isIPv4(ip)
    ? ip
    : ip
        .replace(/[^0-9a-f]/g, '')
        .split('')
        .join('.')
  const values: Record<string, string> = {
    ...{ s: sender, l: sender.split('@')[0]!, o: sender.split('@')[1]!, d: domain, i: nibbles, h: 'mta.relay.example' },
    v: isIPv4(ip) ? 'in-addr' : 'ip6',
  }
  return text
    .replace(
      /%\{([a-z])(\d*)(r?)([.\-+,/_=]*)\}/gi,
      (_, letter: string, digits: string, reversed: string, marks: string) => {
        const parts = (values[letter.toLowerCase()] ?? '').split(marks === '' ? '.' : new RegExp(`[${marks}]`))
        const ordered = reversed === '' ? parts : parts.toReversed()
        return ordered.slice(digits === '' ? 0 : -Number(digits)).join('.')
      },
    )
    .replaceAll('%%', '%')
    .replaceAll('%_', ' ')
    .replaceAll('%-', '%20')
}
