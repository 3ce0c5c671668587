/**
 * Jain's fairness index: 1 when all have the same, 1/n when one has everything.
 */
export function jainIndex(counts: readonly number[]): number {
  const sum = counts.reduce((a, b) => a + b, 0)
  const squares = counts.reduce((a, b) => a + b * b, 0)
  return squares === 0 ? 0 : (sum * sum) / (counts.length * squares)
}
