/**
 * The fields that requests and answers are made of, as zod schemas; a schema's message is the name of its mend.
 */
import { isIP } from 'node:net'
import { z } from 'zod'
import { parseDomain, parseMailbox } from '../mail/address.ts'
import type { Instant } from '../mail/ids.ts'
import type { SendLimits } from '../mail/sender-domain.ts'
import type { MendName } from './texts.ts'

/** Ties a schema to a mend of `texts.ts`. */
export const mend = (name: MendName) => ({ error: name })

export const text = (shortest: number, longest: number, name: MendName) =>
  z
    .string(mend(name))
    .transform(value => value.trim())
    .pipe(
      z
        .string()
        .min(shortest, mend(name))
        .max(longest, mend(name))
        .regex(/^[^\x00-\x1f\x7f]*$/, mend(name)),
    )

export const id = z.string(mend('text')).min(1, mend('text')).max(64, mend('text'))
export const accountId = z.string(mend('account')).min(1, mend('account')).max(64, mend('account'))

export const mailbox = z
  .string(mend('mailbox'))
  .transform(value => parseMailbox(value.trim()))
  .pipe(z.string(mend('mailbox')))
export const domainName = z
  .string(mend('domain'))
  .transform(value => parseDomain(value.trim()))
  .pipe(z.string(mend('domain')))
export const hostName = z
  .string(mend('host'))
  .transform(value => (isIP(value.trim()) ? value.trim() : parseDomain(value.trim())))
  .pipe(z.string(mend('host')))
export const port = z.int(mend('port')).min(1, mend('port')).max(65535, mend('port'))

const limit = z.int(mend('limit')).min(1, mend('limit')).nullable()
/** Merged into what stands there (RFC 7396): a number sets, null removes, absent leaves. */
export const limitsChange = z
  .strictObject({ perMinute: limit, perHour: limit, perDay: limit }, mend('object'))
  .partial()
  .meta({ description: 'Mails per window; null: no limit. Excess is delayed, not refused.' })
export type LimitsChange = z.output<typeof limitsChange>

export function mergeLimits(limits: SendLimits, change: LimitsChange | undefined): SendLimits {
  const merged = Object.entries({ ...limits, ...change }).filter(([, value]) => typeof value === 'number')
  return Object.fromEntries(merged)
}

export const bilingual = z.object({ ja: z.string(), en: z.string() })
export const limits = z
  .object({ perMinute: z.int(), perHour: z.int(), perDay: z.int() })
  .partial()
  .meta({ description: 'Mails per window; absent: no limit' })

/** Instants leave as ISO 8601 in UTC. */
export const timestamp = z.iso.datetime()
export function time(instant: Instant): string
export function time(instant: Instant | null): string | null
export function time(instant: Instant | null): string | null {
  return instant === null ? null : new Date(instant).toISOString()
}

/** A time in a query: ISO 8601 with a zone, or a day, which is UTC's. */
export const instant = z
  .string(mend('time'))
  .regex(/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d))?$/, mend('time'))
  .transform(value => Date.parse(value))
  .pipe(z.number(mend('time')).refine(Number.isFinite, mend('time')))

/** `limit` and `cursor` of every list. */
export const page = {
  limit: z
    .string(mend('page'))
    .regex(/^\d{1,4}$/, mend('page'))
    .transform(Number)
    .pipe(z.int(mend('page')).min(1, mend('page')).max(1000, mend('page')))
    .optional(),
  cursor: z.string(mend('cursor')).min(1, mend('cursor')).max(500, mend('cursor')).optional(),
}

/** Where the next page starts; null: this was the last. */
export const next = z.string().nullable().meta({ description: 'Give it as cursor to get the next page; null: no more' })

/** Leaves out what is undefined, as `exactOptionalPropertyTypes` wants it. */
export function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never
}
