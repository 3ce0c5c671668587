/**
 * Who was asked about a record, what each said, and when it is visible, as API and command show it.
 */
import type { Instant } from '../mail/ids.ts'
import type { Check, ServerAnswer } from '../mail/sender-domain.ts'
import { authorityFaults, type Bilingual, serverFaults, serverStates } from './reasons.ts'

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
}

export function whoSays(check: Check | null): WhoSays {
  return {
    servers: check?.servers?.map(viewServer) ?? [],
    resolvers: check?.resolvers?.map(viewServer) ?? [],
    asked: check && askedOf(check),
    visibleAt: check?.visibleAt ?? null,
  }
}

function viewServer(answer: ServerAnswer): ServerView {
  return { ...answer, message: messageOf(answer) }
}

function messageOf({ state, reason }: ServerAnswer): Bilingual {
  if (reason in serverFaults) return serverFaults[reason as keyof typeof serverFaults]
  return state === 'not-published' && reason === 'absent' ? serverStates.absent : serverStates[state]
}

function askedOf({ servers = [], authorityFault }: Check): Bilingual {
  const fault = authorityFault ?? (servers.length === 0 ? 'not-asked' : null)
  if (fault !== null && fault in authorityFaults) return authorityFaults[fault as keyof typeof authorityFaults]
  const count = new Set(servers.map(({ server, address }) => `${server} ${address}`)).size
  return {
    ja: `ネームサーバー ${count} 台のそれぞれと、リゾルバーに問い合わせました。`,
    en: `Each of ${count} name server${count === 1 ? '' : 's'} was asked, and the resolvers.`,
  }
}
