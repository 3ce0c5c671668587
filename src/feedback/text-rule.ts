/**
 * A rule for the bounces of one mail system in prose: how to know them, and where their recipients stand.
 *
 * Plain data: to add a system, write a rule in `text-rules/` and a mail of it in the tests. Patterns see at most 16,000
 * characters, sender and subject first; a test sees that they repeat nothing without bound but blanks.
 */
export interface TextRule {
  readonly system: string
  /** A sentence that only this system writes. */
  readonly marker: RegExp
  /** Global: group `address`, and `reason` where one belongs to each. Default: `<address>:` and what follows. */
  readonly recipients?: RegExp
  /** Where the part about recipients begins, when the marker stands before other addresses. Default: at the beginning. */
  readonly from?: RegExp
  /** Where it ends: what follows is our own message. */
  readonly until?: RegExp
  /** The reason for all, looked for in what lies between `from` and `until`: group `reason`. */
  readonly reason?: RegExp
  /** It is still being tried. */
  readonly delayed?: RegExp
  /** No bounce without a recipient and a reason that can be understood. */
  readonly mustTell?: boolean
}

/** An address as prose has it. */
export const address = String.raw`[^\s<>"',;:()\[\]：；，、。（）「」＜＞]{1,128}@[A-Za-z0-9.\-]{1,190}[A-Za-z0-9]`
