/**
 * An operation of the API as data: what it reads, what it answers, and the one call it makes.
 *
 * The same list is mounted as routes and written as OpenAPI, so the two can't disagree. A route reads its parameters,
 * query and body by their schemas, runs, and renders; every failure goes to the one error handler as a Problem.
 */
import { pipeline } from 'node:stream/promises'
import { type NextFunction, type Request, type Response, Router } from 'express'
import type { z } from 'zod'
import { Problem } from './problem.ts'
import { type ProblemName, problemKinds } from './texts.ts'
import { read } from './validation.ts'

export type Method = 'get' | 'post' | 'patch' | 'delete'

export interface Definition<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, A extends z.ZodType> {
  readonly method: Method
  /** As OpenAPI writes it: `/v1/accounts/{id}`. */
  readonly path: string
  /** operationId: `createAccount`. */
  readonly id: string
  readonly summary: string
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** Absent: 204 without content. */
  readonly answer?: {
    readonly status: 200 | 201 | 202
    readonly schema: A
    /** True: it goes on in the background, so it is 202 instead. */
    goesOn?(answer: z.output<A>): boolean
    /** JSON unless it says otherwise; then the answer is that text, whole or piece by piece. */
    readonly type?: 'text/plain' | 'text/csv' | 'application/x-ndjson'
  }
  /** Problems of its own, beside those that every operation can have. */
  readonly problems?: readonly ProblemName[]
  readonly run: (input: Input<z.output<P>, z.output<Q>, z.output<B>>) => Promise<z.output<A>>
  /** Where the created thing is found (RFC 9110 §10.2.2). */
  readonly location?: (answer: z.output<A>) => string
  /** Takes an Idempotency-Key although nothing is created by it alone: everything that answers 201 does anyway, unless this is false. */
  readonly repeatable?: boolean
}

export interface Input<P, Q, B> {
  readonly params: P
  readonly query: Q
  readonly body: B
  /** The address the request was sent to, as the client wrote it: `https://relay.example.jp`. */
  readonly origin: string
}

/** A definition whose types have done their work. */
export interface Operation
  extends Omit<Definition<z.ZodObject, z.ZodObject, z.ZodType, z.ZodType>, 'run' | 'location'> {
  readonly perform: (request: Request) => Promise<Performed>
}

/** What a request came to, before it is written. */
export interface Performed {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Absent: no content. */
  readonly body?: unknown
}

export function operation<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, A extends z.ZodType>(
  definition: Definition<P, Q, B, A>,
): Operation {
  const { run, location, ...described } = definition
  return {
    ...described,
    async perform(request) {
      const body = await run(readInput(definition, request))
      if (!definition.answer) return { status: 204, headers: {} }
      const { type, goesOn } = definition.answer
      const status = goesOn?.(body) ? 202 : definition.answer.status
      return { status, headers: { ...(location && { Location: location(body) }), ...(type && textOf(type)) }, body }
    },
  }
}

function textOf(type: string): Performed['headers'] {
  return { 'Content-Type': `${type}; charset=utf-8` }
}

function readInput<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, A extends z.ZodType>(
  { params, query, body }: Definition<P, Q, B, A>,
  request: Request,
): Input<z.output<P>, z.output<Q>, z.output<B>> {
  if (body) refuseOtherTypes(request)
  return {
    params: (params ? read(params, request.params, 'bad-request') : {}) as z.output<P>,
    query: (query ? read(query, request.query, 'bad-request') : {}) as z.output<Q>,
    body: (body ? read(body, request.body, 'invalid') : undefined) as z.output<B>,
    origin: `${request.protocol}://${request.get('host') ?? 'localhost'}`,
  }
}

/** Whether no body is enough is the schema's to say; clients then send none, or one of length 0. */
function refuseOtherTypes(request: Request): void {
  if (request.get('content-length') !== '0' && request.is('application/json') === false)
    throw new Problem('unsupported-media-type', { detail: problemKinds['unsupported-media-type'].meaning })
}

export function routesOf(operations: readonly Operation[]): Router {
  const router = Router({ caseSensitive: true })
  for (const [path, group] of Map.groupBy(operations, ({ path }) => path)) {
    const route = router.route(path.replace(/\{(\w+)\}/g, ':$1'))
    for (const { method, perform } of group)
      route[method](async (request, response) => await answer(response, await perform(request)))
    route.all(refuseMethod(group.map(({ method }) => method)))
  }
  return router
}

async function answer(response: Response, { status, headers, body }: Performed): Promise<void> {
  response.status(status).set({ ...headers })
  if (body === undefined) response.end()
  else if (isPieces(body)) await writePieces(response, body)
  else if (headers['Content-Type'] !== undefined) response.send(body)
  else response.json(body)
}

/** At the pace of whoever reads; who hangs up in the middle has had enough. */
async function writePieces(response: Response, pieces: AsyncIterable<string>): Promise<void> {
  try {
    await pipeline(pieces, response)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  }
}

function isPieces(body: unknown): body is AsyncIterable<string> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}

function refuseMethod(methods: readonly Method[]) {
  const names = methods.flatMap(method => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]))
  const allow = [...names, 'OPTIONS'].join(', ')
  return (request: Request, response: Response, next: NextFunction) => {
    if (request.method === 'OPTIONS') return void response.status(204).setHeader('Allow', allow).end()
    next(
      new Problem('method-not-allowed', {
        detail: { ja: `使えるメソッド: ${allow}`, en: `Allowed here: ${allow}.` },
        headers: { Allow: allow },
      }),
    )
  }
}
