/**
 * What is served without a token: life, readiness, metrics, the API's description, explanations of problems.
 */
import { type Request, type Response, Router } from 'express'
import type { AdminDependencies } from '../dependencies.ts'
import { readiness } from '../health.ts'
import type { Metrics } from '../metrics.ts'
import { notFound } from '../problem.ts'
import { type ProblemName, problemKinds } from '../texts.ts'

/** Their part of the OpenAPI document. */
export const systemPaths = {
  '/healthz': { get: described('isAlive', 'Whether the process lives', { 200: 'It does' }, 'application/json') },
  '/readyz': {
    get: described(
      'isReady',
      'Whether mail is taken and delivered',
      { 200: 'It is', 503: 'It is not; reasons says why' },
      'application/json',
    ),
  },
  '/metrics': { get: described('metrics', 'Prometheus metrics', { 200: 'Text format' }, 'text/plain') },
  '/openapi.json': { get: described('openapi', 'This document', { 200: 'OpenAPI 3.1' }, 'application/json') },
  '/problems/{kind}': {
    get: {
      ...described('explainProblem', "What a problem's type means", { 200: 'In two languages' }, 'text/plain'),
      parameters: [{ name: 'kind', in: 'path', required: true, schema: { enum: Object.keys(problemKinds) } }],
    },
  },
}

export function systemRoutes(dependencies: AdminDependencies, metrics: Metrics, openApi: unknown): Router {
  const router = Router({ caseSensitive: true })
  router.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
  router.get('/readyz', async (_request, response) => {
    const state = await readiness(dependencies)
    response.status(state.ready ? 200 : 503).json(state)
  })
  router.get('/metrics', async (_request, response) => {
    response.type(metrics.contentType).send(await metrics.text())
  })
  router.get('/openapi.json', (_request, response) => void response.json(openApi))
  router.get('/problems/:kind', explainProblem)
  return router
}

function explainProblem(request: Request, response: Response): void {
  const kind = String(request.params.kind)
  if (!Object.hasOwn(problemKinds, kind)) throw notFound({ ja: `問題の種類 ${kind} `, en: `problem type ${kind}` })
  const { status, title, meaning } = problemKinds[kind as ProblemName]
  response.type('text/plain').send(`${kind} (${status})\n\n${title.ja}\n${meaning.ja}\n\n${title.en}\n${meaning.en}\n`)
}

function described(operationId: string, summary: string, responses: Readonly<Record<number, string>>, type: string) {
  const told = Object.entries(responses).map(([status, description]) => [
    status,
    { description, content: { [type]: {} } },
  ])
  return { operationId, summary, tags: ['system'], security: [], responses: Object.fromEntries(told) }
}
