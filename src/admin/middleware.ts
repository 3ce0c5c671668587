/**
 * What every request passes: no caching, a log line, and at the end the one place that answers failures.
 */
import type { ErrorRequestHandler, RequestHandler } from 'express'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { Problem, problemDocument, toProblem } from './problem.ts'
import { problemKinds } from './texts.ts'

/** Answers hold secrets and change by the second. */
export const neverCached: RequestHandler = (_request, response, next) => {
  response.setHeader('Cache-Control', 'no-store')
  next()
}

/** Changes are told at `info`, reading at `debug`. Never bodies: they hold passwords. */
export function logged(log: Log, clock: Clock): RequestHandler {
  return (request, response, next) => {
    const startedAt = clock.monotonic()
    const { method, ip: from } = request
    const path = withoutSecrets(request.originalUrl.replace(/\?.*/s, ''))
    response.once('finish', () => {
      const fields = { method, path, status: response.statusCode, from, ms: Math.round(clock.monotonic() - startedAt) }
      if (method === 'GET' || method === 'HEAD') log.debug(fields, 'API request')
      else log.info(fields, 'API request')
    })
    next()
  }
}

/** The token of a share link is part of its path, however that is written. */
function withoutSecrets(path: string): string {
  const plain = path.replace(/%[0-7][0-9a-f]/gi, code => decodeURIComponent(code))
  return /\/share\//i.test(plain) ? '/share/…' : path
}

export const noSuchPath: RequestHandler = (request, _response, next) => {
  next(
    new Problem('no-such-path', {
      detail: { ja: problemKinds['no-such-path'].meaning.ja, en: `There is no ${request.path}; see /openapi.json.` },
    }),
  )
}

/** Express tells error handlers by their four parameters. */
export function answerProblem(log: Log): ErrorRequestHandler {
  return (error, request, response, next) => {
    const problem = toProblem(error)
    if (problem.kind === 'internal')
      log.error({ err: error, method: request.method, path: withoutSecrets(request.path) }, 'an API request failed')
    // The head is out: Express ends the connection, so that half an answer can't pass for a whole one.
    if (response.headersSent) return next(error)
    const { status } = problemKinds[problem.kind]
    response
      .status(status)
      .set({ ...problem.parts.headers })
      .type('application/problem+json')
      .send(JSON.stringify(problemDocument(problem)))
  }
}
