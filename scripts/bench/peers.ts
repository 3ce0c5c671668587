/**
 * Relays to compare with: which this machine has, and how each is started.
 */
import { findProgram } from '../../test/support/real/program.ts'
import { lackingEximUser, startExim } from './exim.ts'
import { startOpendkim } from './opendkim.ts'
import { startPostfix } from './postfix.ts'
import { startRspamd } from './rspamd.ts'
import type { Subject, SubjectOptions } from './subject.ts'

interface Peer {
  readonly programs: readonly string[]
  /** What else it may lack; null: nothing. */
  readonly lacking?: () => string | null
  /** Null: nobody has written how to set it up. */
  readonly start: ((options: SubjectOptions) => Promise<Subject>) | null
}

const peers = {
  'postfix-opendkim': {
    programs: ['master', 'opendkim'],
    start: options => startPostfix(options, 'postfix-opendkim', startOpendkim),
  },
  'postfix-rspamd': {
    programs: ['master', 'rspamd'],
    start: options => startPostfix(options, 'postfix-rspamd', startRspamd),
  },
  exim: { programs: ['exim4'], lacking: lackingEximUser, start: startExim },
  haraka: { programs: ['haraka'], start: null },
} as const satisfies Record<string, Peer>

export type PeerName = keyof typeof peers

export const peerNames = Object.keys(peers) as PeerName[]

/** Why this machine can't run it; null: it can. */
export function lacking(name: PeerName): string | null {
  const peer: Peer = peers[name]
  const missing = peer.programs.filter(program => findProgram(program) === null)
  if (missing.length > 0) return `not installed (${missing.join(' and ')})`
  if (peer.start === null) return 'installed, but kitte bench can not set it up yet'
  return process.getuid?.() === 0 ? (peer.lacking?.() ?? null) : 'needs root'
}

export function startPeer(name: PeerName, options: SubjectOptions): Promise<Subject> {
  const { start }: Peer = peers[name]
  if (start === null) throw new TypeError(`${name} can not be started: lacking() says why`)
  return start(options)
}
