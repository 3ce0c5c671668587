/**
 * What changed between two findings in DNS, in the parts people think in: terms of SPF, tags of DKIM and DMARC.
 *
 * Parts are counted, not aligned: a record can have thousands of them, and its author decides how many.
 * Splitting follows RFC 7208 §4.5 (terms are separated by spaces) and RFC 6376 §3.2 (tags by semicolons).
 */
export interface FoundDiff {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** The same parts in another order, as in `~all include:…`, where it matters. */
  readonly reordered: boolean
}

export function diffFound(before: readonly string[], after: readonly string[]): FoundDiff {
  const [old, now] = [before.flatMap(partsOf), after.flatMap(partsOf)]
  const [added, removed] = [without(now, old), without(old, now)]
  const isSame = added.length === 0 && removed.length === 0
  return { added, removed, reordered: isSame && old.some((part, index) => part !== now[index]) }
}

/** DNS answers several records in any order (RFC 1034 §3.6). */
export function sameFound(before: readonly string[], after: readonly string[]): boolean {
  return before.length === after.length && without(before, after).length === 0
}

function partsOf(value: string): string[] {
  if (/^v=spf1(?:\s|$)/i.test(value)) return value.split(/\s+/).filter(part => part !== '')
  if (!/^\s*\w+\s*=[^;]*;/.test(value)) return [value]
  return value
    .split(';')
    .map(part => part.trim())
    .filter(part => part !== '')
}

/** Each of `others` takes away one equal part. */
function without(parts: readonly string[], others: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const part of others) counts.set(part, (counts.get(part) ?? 0) + 1)
  return parts.filter(part => {
    const left = counts.get(part) ?? 0
    counts.set(part, left - 1)
    return left <= 0
  })
}
