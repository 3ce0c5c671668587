/**
 * Receivers as scripts: what each says to a connection and to a message, by the clock alone.
 */
import type { Phase } from '../../src/mail/attempt-result.ts'

/** What a host answers in that phase. */
export interface Said {
  readonly line: string
  readonly phase: Phase
}

/** One address of a receiver. Null: it goes on, and takes the message. */
export interface SiteModel {
  /** `open`: connections it has now. */
  connect(now: number, open: number): Said | null
  /** `carried`: messages that this connection took before; `recipient`: the same in each try. */
  send(now: number, carried: number, recipient: number): Said | null
}

export const second = 1000
export const minute = 60 * second

const takesAll = { connect: () => null, send: () => null }

/** So many messages in any 60 seconds. */
export function takesPerMinute(most: number, said: Said = rateReply): SiteModel {
  const taken: number[] = []
  return {
    ...takesAll,
    send(now) {
      while (taken.length > 0 && taken[0]! <= now - minute) taken.shift()
      if (taken.length >= most) return said
      taken.push(now)
      return null
    },
  }
}

const rateReply: Said = { line: '421 4.7.0 Too many messages, slow down', phase: 'mail' }

export function takesConnections(most: number): SiteModel {
  return {
    ...takesAll,
    connect: (_now, open) => (open >= most ? { line: '421 4.3.2 Service not available', phase: 'banner' } : null),
  }
}

/** It says 421 to the message after so many on one connection. */
export function takesPerConnection(most: number): SiteModel {
  return {
    ...takesAll,
    send: (_now, carried) => (carried >= most ? { line: '421 4.3.2 Closing connection', phase: 'mail' } : null),
  }
}

export function greylists(forMs: number): SiteModel {
  const since = new Map<number, number>()
  return {
    ...takesAll,
    send(now, _carried, recipient) {
      if (!since.has(recipient)) since.set(recipient, now)
      return now - since.get(recipient)! < forMs
        ? { line: '450 4.7.1 Greylisted, try again in 300 seconds', phase: 'rcpt' }
        : null
    },
  }
}

export function isDown(from: number, to: number): SiteModel {
  const gone: Said = { line: '421 4.3.2 Service shutting down', phase: 'banner' }
  return { ...takesAll, connect: now => (now >= from && now < to ? gone : null) }
}

/** Beyond the rate it takes nothing for a while, and for longer if one keeps trying. */
export function throttles(most: number, forMs: number, longerMs: number, said: Said): SiteModel {
  const inner = takesPerMinute(most, said)
  let until = 0
  return {
    ...takesAll,
    send(now, carried, recipient) {
      if (now < until) until += longerMs
      else if (inner.send(now, carried, recipient) === null) return null
      else until = now + forMs
      return said
    },
  }
}

/** Another receiver from then on. */
export function changes(first: SiteModel, at: number, then: SiteModel): SiteModel {
  const of = (now: number) => (now < at ? first : then)
  return {
    connect: (now, open) => of(now).connect(now, open),
    send: (now, carried, recipient) => of(now).send(now, carried, recipient),
  }
}

/** What both of them take. */
export function both(one: SiteModel, other: SiteModel): SiteModel {
  return {
    connect: (now, open) => one.connect(now, open) ?? other.connect(now, open),
    send: (now, carried, recipient) => one.send(now, carried, recipient) ?? other.send(now, carried, recipient),
  }
}

export const generous: SiteModel = takesAll
