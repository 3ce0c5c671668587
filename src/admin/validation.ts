/**
 * Reads what a client sent by a schema and names every bad field with its mend, in both languages.
 */
import { z } from 'zod'
import { suggest } from '../base/suggest.ts'
import { type FieldError, fieldError, Problem } from './problem.ts'
import { type Bilingual, type MendName, mends, type ProblemName, problemKinds } from './texts.ts'

/** Fails with Problem `kind`. */
export function read<T>(schema: z.ZodType<T>, value: unknown, kind: ProblemName): T {
  const parsed = schema.safeParse(value, { reportInput: true })
  if (parsed.success) return parsed.data
  const errors = parsed.error.issues.flatMap(issue => describe(issue, schema))
  const named = errors.map(({ field }) => field).filter(field => field !== '')
  const where = named.length === 0 ? '' : `: ${named.join(', ')}`
  const { title } = problemKinds[kind]
  throw new Problem(kind, { detail: { ja: `${title.ja}${where}`, en: `${title.en}${where}` }, errors })
}

function describe(issue: z.core.$ZodIssue, schema: z.ZodType): FieldError[] {
  const field = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path)
    return issue.keys.map(key => fieldError(field === '' ? key : `${field}.${key}`, unknownField(key, known)))
  }
  const mend: Bilingual = isMend(issue.message) ? mends[issue.message] : { ja: issue.message, en: issue.message }
  if (issue.code === 'invalid_type' && issue.input === undefined && field !== '')
    return [fieldError(field, { ja: `必須です。${mend.ja}`, en: `is missing; ${mend.en}` })]
  return [fieldError(field, mend)]
}

function isMend(message: string): message is MendName {
  return Object.hasOwn(mends, message)
}

function unknownField(name: string, known: readonly string[]): Bilingual {
  const list = known.join(', ')
  return {
    ja: `この項目はありません。使える項目: ${list}`,
    en: `there is no such field${suggest(name, known)}; known: ${list}`,
  }
}

function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const inner = unwrap(schema)
  if (!(inner instanceof z.ZodObject)) return []
  const [head, ...rest] = path
  if (head === undefined) return Object.keys(inner.shape)
  const below: unknown = inner.shape[String(head)]
  return below instanceof z.ZodType ? keysAt(below, rest) : []
}

/** The object under `.optional()`, `.nullable()` and the like. */
function unwrap(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault
    ? unwrap(schema.unwrap() as z.ZodType)
    : schema
}
