/**
 * "Did you mean …?": the closest known name, when one is close.
 */

/** ` (did you mean submission.maxRecipients?)`, or nothing. */
export function suggest(name: string, known: readonly string[]): string {
  const closest = known
    .map(candidate => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance)[0]
  return closest && closest.distance <= Math.max(2, name.length / 5) ? ` (did you mean ${closest.candidate}?)` : ''
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]!
}
