/**
 * Failures of a request as RFC 9457 problem documents: one class to throw, one function that reads every other error.
 *
 * What nobody foresaw becomes a 500 with a plain text; its stack goes to the log and never to the client.
 */
import type { Bilingual, MendName, ProblemName } from './texts.ts'
import { mends, problemKinds } from './texts.ts'
import { inJapanese } from './told-in-japanese.ts'

export interface FieldError {
  /** `smtp.port`; a query parameter's name; empty: the body as a whole. */
  readonly field: string
  readonly detail: string
  readonly message: Bilingual
}

export interface ProblemParts {
  readonly detail: Bilingual
  readonly errors?: readonly FieldError[]
  /** Extension members (RFC 9457 §3.2). */
  readonly extra?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

export class Problem extends Error {
  readonly code = 'problem'
  readonly kind: ProblemName
  readonly parts: ProblemParts
  constructor(kind: ProblemName, parts: ProblemParts) {
    super(parts.detail.en, { cause: parts.cause })
    this.kind = kind
    this.parts = parts
  }
}

/** `title` and `detail` are English, as the standard has one language; `message` has both. */
export function problemDocument({ kind, parts }: Problem): Record<string, unknown> {
  const { status, title } = problemKinds[kind]
  return {
    type: `/problems/${kind}`,
    title: title.en,
    status,
    detail: parts.detail.en,
    message: parts.detail,
    ...(parts.errors ? { errors: parts.errors } : {}),
    ...parts.extra,
  }
}

export function notFound(what: Bilingual): Problem {
  return new Problem('not-found', { detail: { ja: `${what.ja}はありません。`, en: `There is no ${what.en}.` } })
}

/** A field that reads well alone but not against what is stored. */
export function invalidField(field: string, mend: MendName): Problem {
  return new Problem('invalid', { detail: problemKinds.invalid.title, errors: [fieldError(field, mends[mend])] })
}

export function fieldError(field: string, message: Bilingual): FieldError {
  return { field, detail: message.en, message }
}

/** Any thrown thing as a problem. Errors are told apart by their stable `code`, body-parser's by `type` or `status`. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  const { code, type, status, message = '', holder } = shapeOf(error)
  const byType = bodyProblem(type, status, error)
  if (byType) return byType
  if (error instanceof URIError || code === 'ERR_INVALID_URL') return unreadable(error)
  switch (code) {
    case 'conflict':
      return new Problem('conflict', {
        detail: told('conflict', message),
        extra: { holder: holder ?? null },
        cause: error,
      })
    case 'not-found':
      return new Problem('not-found', { detail: told('not-found', message), cause: error })
    case 'domain-invalid':
      return new Problem('domain-invalid', { detail: told('domain-invalid', message), cause: error })
    case 'store-unavailable':
      return new Problem('store-unavailable', {
        detail: problemKinds['store-unavailable'].meaning,
        headers: { 'Retry-After': '10' },
        cause: error,
      })
    default:
      return new Problem('internal', { detail: problemKinds.internal.meaning, cause: error })
  }
}

/** Errors may have crossed a thread, where classes are lost: what counts is their shape. */
function shapeOf(error: unknown): ErrorShape {
  return typeof error === 'object' && error !== null ? error : {}
}

interface ErrorShape {
  readonly code?: string
  readonly type?: string
  readonly status?: number
  readonly message?: string
  readonly holder?: string | null
}

/** English from whoever threw it. */
function told(kind: ProblemName, english: string): Bilingual {
  return {
    en: english || problemKinds[kind].title.en,
    ja: inJapanese(english) ?? `${problemKinds[kind].title.ja}。`,
  }
}

function bodyProblem(type: string | undefined, status: number | undefined, cause: unknown): Problem | null {
  switch (type) {
    case 'entity.parse.failed':
    case 'request.size.invalid':
    case 'request.aborted':
      return new Problem('not-json', { detail: problemKinds['not-json'].meaning, cause })
    case 'entity.too.large':
      return new Problem('too-large', { detail: problemKinds['too-large'].meaning, cause })
    case 'charset.unsupported':
    case 'encoding.unsupported':
      return new Problem('unsupported-media-type', { detail: problemKinds['unsupported-media-type'].meaning, cause })
    default:
      // A body that can't be unpacked (Content-Encoding) has zlib's error and no type of its own.
      return status === 400 && !(cause instanceof URIError)
        ? new Problem('not-json', { detail: problemKinds['not-json'].meaning, cause })
        : null
  }
}

function unreadable(cause: unknown): Problem {
  return new Problem('bad-request', {
    detail: {
      ja: 'URLのパーセントエンコーディングに誤りがあります。',
      en: 'The address is not percent-encoded correctly.',
    },
    cause,
  })
}
