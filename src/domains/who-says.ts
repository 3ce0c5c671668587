/**
 * Who was asked about a record, what each said, and when it is visible, as API and command show it.
 */
import type { Instant } from '../mail/ids.ts'
import type { Check, ServerAnswer } from '../mail/sender-domain.ts'
import { longestMemory } from './everywhere.ts'
import type { Bilingual } from './reasons.ts'
import { isInPlace } from './records/record-kind.ts'
import { authorityFaults, serverFaults, serverStates } from './server-texts.ts'

export interface ServerView extends ServerAnswer {
  readonly message: Bilingual
}

export interface WhoSays {
  /** The authoritative servers. */
  readonly servers: readonly ServerView[]
  /** What receivers see now. */
  readonly resolvers: readonly ServerView[]
  /** Who decided; null before the first check. */
  readonly asked: Bilingual | null
  /** When caches will have forgotten what differs; null: nothing differs, or nobody can tell. */
  readonly visibleAt: Instant | null
  /**
   * Seconds from the moment when the record is put right until receivers see it, at the latest: what was asked now may
   * be remembered that long. Null: it is in place, or nobody could say.
   */
  readonly visibleWithin: number | null
}

/** What of a check they are told by. */
export type Witnessed = Pick<Check, 'state' | 'reason' | 'servers' | 'resolvers' | 'authorityFault' | 'visibleAt'>

export function whoSays(check: Witnessed | null): WhoSays {
  return {
    servers: check?.servers?.map(viewServer) ?? [],
    resolvers: check?.resolvers?.map(viewServer) ?? [],
    asked: check && askedOf(check),
    visibleAt: check?.visibleAt ?? null,
    visibleWithin: check && waitFor(check),
  }
}

function waitFor({ state, reason, servers = [], resolvers = [] }: Witnessed): number | null {
  if (isInPlace({ state, reason })) return null
  const waits = [...servers, ...resolvers].filter(answer => answer.state === 'not-published').map(longestMemory)
  return waits.length === 0 ? null : Math.max(...waits)
}

function viewServer(answer: ServerAnswer): ServerView {
  return { ...answer, message: messageOf(answer) }
}

function messageOf({ state, reason }: ServerAnswer): Bilingual {
  if (reason in serverFaults) return serverFaults[reason as keyof typeof serverFaults]
  return state === 'not-published' && reason === 'absent' ? serverStates.absent : serverStates[state]
}

function askedOf({ servers = [], authorityFault }: Witnessed): Bilingual {
  const fault = authorityFault ?? (servers.length === 0 ? 'not-asked' : null)
  if (fault !== null && fault in authorityFaults) return authorityFaults[fault as keyof typeof authorityFaults]
  const count = new Set(servers.map(({ server, address }) => `${server} ${address}`)).size
  return {
    ja: `ネームサーバー ${count} 台のそれぞれと、リゾルバーに問い合わせました。`,
    en: `Each of ${count} name server${count === 1 ? '' : 's'} was asked, and the resolvers.`,
  }
}
