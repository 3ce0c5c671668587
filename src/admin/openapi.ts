/**
 * The OpenAPI 3.1 document, written from the operations that are mounted.
 */
import { z } from 'zod'
import { bilingual } from './fields.ts'
import type { Operation } from './operation.ts'
import { isRepeatable, keyHeader } from './repeats.ts'
import { systemPaths } from './routes/system.ts'
import { sharePaths } from './share/routes.ts'
import { type ProblemName, problemKinds } from './texts.ts'

type Json = { [key: string]: unknown }

/** Any request can fail like this. */
const everywhere: readonly ProblemName[] = [
  'bad-request',
  'unauthorized',
  'too-many-failures',
  'internal',
  'store-unavailable',
]
const withBody: readonly ProblemName[] = ['not-json', 'too-large', 'unsupported-media-type', 'invalid']

const repeated: readonly ProblemName[] = ['key-in-use', 'key-reused']
const keyParameter: Json = {
  name: keyHeader,
  in: 'header',
  required: false,
  description:
    'A key of your own, such as a UUID: the same request sent again with it is answered the same (Idempotency-Replayed: true) without being carried out twice',
  schema: { type: 'string', minLength: 1, maxLength: 200 },
}

const problemSchema = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  message: bilingual,
  errors: z.array(z.object({ field: z.string(), detail: z.string(), message: bilingual })).optional(),
  holder: z.string().nullable().optional(),
  claim: z.string().optional().meta({ description: 'Where a domain of another account can be claimed' }),
})

export function openApiDocument(operations: readonly Operation[]): Json {
  const paths: { [path: string]: Json } = { ...systemPaths, ...sharePaths }
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describe(operation) }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Kitte',
      version: '1',
      description:
        'Accounts, credentials, sender addresses, sender domains, messages and the queue of a Kitte relay. Failures are RFC 9457 problem documents. Lists answer `next`; give it as `cursor` to go on.',
    },
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas: { Problem: jsonSchema(problemSchema, 'output') },
    },
  }
}

function describe(operation: Operation): Json {
  const { path, id, summary, params, query, body } = operation
  const keys = isRepeatable(operation) ? [keyParameter] : []
  const parameters = [...parametersOf(params, 'path'), ...parametersOf(query, 'query'), ...keys]
  return {
    operationId: id,
    summary,
    tags: [path.split('/')[2] ?? 'relay'],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: requestBody(body) } : {}),
    responses: responsesOf(operation),
  }
}

function requestBody(body: z.ZodType): Json {
  return {
    required: !body.safeParse(undefined).success,
    content: { 'application/json': { schema: jsonSchema(body, 'input') } },
  }
}

function parametersOf(schema: z.ZodObject | undefined, place: 'path' | 'query'): Json[] {
  if (!schema) return []
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Record<string, unknown>
    required?: string[]
  }
  return Object.entries(properties).map(([name, type]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: type,
  }))
}

function responsesOf(operation: Operation): Json {
  const { answer, body, problems = [], params } = operation
  const content = answer && {
    [answer.type ?? 'application/json']: { schema: jsonSchema(answer.schema, 'output') },
  }
  const success = answer
    ? {
        [answer.status]: { description: 'Done', content },
        ...(answer.goesOn && { 202: { description: 'It goes on in the background', content } }),
      }
    : { 204: { description: 'Done' } }
  const possible = [
    ...everywhere,
    ...(body ? withBody : []),
    ...(params ? (['not-found'] as const) : []),
    ...(isRepeatable(operation) ? repeated : []),
    ...problems,
  ]
  const byStatus = Map.groupBy(new Set(possible), name => problemKinds[name].status)
  const failures = [...byStatus].map(([status, names]) => [status, problemResponse(names)])
  return { ...success, ...Object.fromEntries(failures) }
}

function problemResponse(names: readonly ProblemName[]): Json {
  return {
    description: names.map(name => `${problemKinds[name].title.en} (${name})`).join('; or: '),
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  }
}

/** Transforms have no schema of their own: what is described is what goes over the wire. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return described
}
