/**
 * The HTTP API, wired: requests pass security headers, token and JSON reader to the routes; failures end in one handler.
 *
 * Fails to open with ConfigError when address or port can't be had.
 */
import express, { type Express } from 'express'
import helmet from 'helmet'
import { prepareAdminToken } from './admin-token.ts'
import { requireToken } from './auth.ts'
import type { AdminDependencies } from './dependencies.ts'
import { listen } from './listen.ts'
import { type Metrics, openMetrics } from './metrics.ts'
import { answerProblem, logged, neverCached, noSuchPath } from './middleware.ts'
import { openApiDocument } from './openapi.ts'
import { type Operation, routesOf } from './operation.ts'
import { openRepeats, type Repeats } from './repeats.ts'
import { accountRoutes } from './routes/accounts.ts'
import { bulkRoutes } from './routes/bulk.ts'
import { claimRoutes } from './routes/claims.ts'
import { classRoutes } from './routes/classes.ts'
import { credentialRoutes } from './routes/credentials.ts'
import { detourRoutes } from './routes/detours.ts'
import { domainExplainRoutes } from './routes/domain-explain.ts'
import { domainHistoryRoutes } from './routes/domain-history.ts'
import { domainVolumeRoutes } from './routes/domain-volume.ts'
import { domainZoneRoutes } from './routes/domain-zone.ts'
import { domainRoutes } from './routes/domains.ts'
import { erasureRoutes } from './routes/erasure.ts'
import { eventRoutes } from './routes/events.ts'
import { finishRoutes } from './routes/finish.ts'
import { limitRoutes } from './routes/limits.ts'
import { messageRoutes } from './routes/messages.ts'
import { poolRoutes } from './routes/pools.ts'
import { queueRoutes } from './routes/queue.ts'
import { queueOperationRoutes } from './routes/queue-operations.ts'
import { relayRoutes } from './routes/relay.ts'
import { senderRoutes } from './routes/senders.ts'
import { shareRoutes } from './routes/shares.ts'
import { suppressionImportRoutes } from './routes/suppression-import.ts'
import { suppressionRoutes } from './routes/suppressions.ts'
import { suspensionRoutes } from './routes/suspensions.ts'
import { systemRoutes } from './routes/system.ts'
import { tlsPolicyRoutes } from './routes/tls-policies.ts'
import { tlsReportRoutes } from './routes/tls-reports.ts'
import { warmUpRoutes } from './routes/warm-ups.ts'
import { webhookRoutes } from './routes/webhooks.ts'
import { sharePages } from './share/routes.ts'

export interface Admin {
  readonly port: number
  /** The admin token if it was made just now: print it, it is not shown again. */
  readonly madeToken: string | null
  stop(): Promise<void>
}

export async function openAdmin(dependencies: AdminDependencies): Promise<Admin> {
  const { config, store, seal, clock, log, adminToken } = dependencies
  const metrics = openMetrics(dependencies)
  const repeats = openRepeats({ store, seal, clock, log, keepMs: config.http.keepAnswers })
  const tokenHash = Promise.withResolvers<string>()
  const app = createApp(dependencies, tokenHash.promise, metrics, repeats)
  const listener = await listen(app, config.http, clock).catch(error => {
    repeats.stop()
    metrics.stop()
    throw error
  })
  const stop = async () => {
    await listener.stop()
    repeats.stop()
    metrics.stop()
  }
  try {
    // Only now, so that a token is not made by a start that fails and then never shown.
    const token = await prepareAdminToken(store, config.dataDir, adminToken)
    tokenHash.resolve(token.hash)
    return { port: listener.port, madeToken: token.made, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

export function operationsOf(dependencies: AdminDependencies): Operation[] {
  const resources = [
    accountRoutes,
    credentialRoutes,
    bulkRoutes,
    domainRoutes,
    domainHistoryRoutes,
    shareRoutes,
    domainZoneRoutes,
    domainExplainRoutes,
    domainVolumeRoutes,
    claimRoutes,
    erasureRoutes,
    finishRoutes,
    relayRoutes,
    senderRoutes,
    messageRoutes,
    queueRoutes,
    queueOperationRoutes,
    suspensionRoutes,
    detourRoutes,
    eventRoutes,
    classRoutes,
    suppressionImportRoutes,
    suppressionRoutes,
    webhookRoutes,
    tlsPolicyRoutes,
    tlsReportRoutes,
    poolRoutes,
    warmUpRoutes,
    limitRoutes,
  ]
  return resources.flatMap(routes => routes(dependencies))
}

export function createApp(
  dependencies: AdminDependencies,
  tokenHash: Promise<string>,
  metrics: Metrics,
  repeats?: Pick<Repeats, 'wrap'>,
): Express {
  const { config, clock, log, extra } = dependencies
  const operations = operationsOf(dependencies)
  const app = express()
  // A reverse proxy on this machine tells the client's address; nobody else is believed.
  app.set('trust proxy', 'loopback')
  app.set('query parser', 'simple')
  app.set('etag', false)
  app.use(helmet(), neverCached, logged(log, clock))
  if (extra) app.use((request, response, next) => void (extra(request, response) || next()))
  app.use(systemRoutes(dependencies, metrics, openApiDocument(operations)))
  app.use(sharePages(dependencies))
  app.use('/v1', requireToken(tokenHash, clock), express.json({ limit: config.http.maxBodyBytes }))
  app.use(routesOf(repeats ? operations.map(repeats.wrap) : operations))
  app.use(noSuchPath, answerProblem(log))
  return app
}
