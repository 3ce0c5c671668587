/**
 * The share page over HTTP: whoever has the link sees one domain's records and may have them checked.
 *
 * A link that never was, is over or was revoked answers the same page. The token is part of the path, because the link
 * must work from a mail; so nothing here or in the log writes that path, and pages send no referrer.
 */
import { readFileSync } from 'node:fs'
import { type ErrorRequestHandler, type Request, type RequestHandler, type Response, Router } from 'express'
import { setupRequest } from '../../domains/setup-request.ts'
import { setupSheet } from '../../domains/setup-sheet.ts'
import { openShareLinks, type ShareLinkView } from '../../domains/share-links.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { type CheckGate, openCheckGate } from './check-gate.ts'
import { languageOf } from './language.ts'
import { gonePage, sharePage, troublePage } from './page.ts'

const assets: Readonly<Record<string, { readonly type: string; readonly text: string }>> = {
  'page.css': { type: 'text/css', text: readFileSync(new URL('./page.css', import.meta.url), 'utf8') },
  'page.js': { type: 'text/javascript', text: readFileSync(new URL('./page.js', import.meta.url), 'utf8') },
}

/** Nothing from anywhere else, nothing in the page itself, never in somebody else's frame. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/** A check that takes longer goes on by itself; the page then shows what is known, and follows. */
const longestWaitMs = 10_000

type Visit = (request: Request, response: Response, link: ShareLinkView) => Promise<void>

export function sharePages(dependencies: AdminDependencies): Router {
  const { domains, clock, log } = dependencies
  const links = openShareLinks(dependencies)
  const gate = openCheckGate(clock)
  const router = Router({ caseSensitive: true, strict: true })

  function visit(show: Visit): RequestHandler {
    return async (request, response) => {
      const link = await links.open(String(request.params.token))
      if (link === null) return gone(request, response)
      await show(request, response, link)
    }
  }

  async function check(link: ShareLinkView): Promise<void> {
    const checked = domains.verify(link.domain).catch(error => {
      log.warn({ domain: link.domain, share: link.id, error: String(error) }, 'a check asked for by share link failed')
    })
    await Promise.race([checked, clock.sleep(longestWaitMs)])
  }

  router.use('/share', protect)
  router.get(
    '/share/:token',
    visit((request, response, link) => showPage(dependencies, gate, request, response, link)),
  )
  router.get(
    '/share/:token/request',
    visit(async (request, response, { domain }) => {
      const sheet = setupSheet(await domains.view(domain))
      response.type('text/plain').send(setupRequest(sheet, languageOf(request)))
    }),
  )
  // Post, redirect, get: a reload does not check again.
  router.post(
    '/share/:token/check',
    visit(async (request, response, link) => {
      if (gate.pass(link.id)) await check(link)
      else response.setHeader('Retry-After', String(Math.ceil(gate.waitMs(link.id) / 1000)))
      response.redirect(303, `/share/${request.params.token}?lang=${languageOf(request)}#summary`)
    }),
  )
  router.get('/share-assets/:file', sendAsset)
  router.use('/share', gone, trouble(dependencies))
  return router
}

async function showPage(
  { domains, clock, config }: AdminDependencies,
  gate: CheckGate,
  request: Request,
  response: Response,
  link: ShareLinkView,
): Promise<void> {
  const view = await domains.view(link.domain)
  const page = sharePage({
    sheet: setupSheet(view),
    nameServers: view.nameServers,
    path: `/share/${request.params.token}`,
    language: languageOf(request),
    timeZone: config.timeZone,
    now: clock.now(),
    expiresAt: link.expiresAt,
    waitMs: gate.waitMs(link.id),
  })
  response.type('text/html').send(page)
}

const protect: RequestHandler = (request, response, next) => {
  response.set({
    'Content-Security-Policy': policy,
    'Referrer-Policy': 'no-referrer',
    'X-Frame-Options': 'DENY',
    'X-Robots-Tag': 'noindex, nofollow, noarchive',
    'Content-Language': languageOf(request),
    Vary: 'Accept-Language',
  })
  next()
}

function gone(request: Request, response: Response): void {
  response
    .status(404)
    .type('text/html')
    .send(gonePage(languageOf(request)))
}

/** Express tells error handlers by their four parameters. */
function trouble({ log }: AdminDependencies): ErrorRequestHandler {
  return (error, request, response, next) => {
    if (response.headersSent) return next(error)
    // A path that can't be decoded opens nothing either; a domain may go between two questions.
    if (error instanceof URIError || error.code === 'not-found') return gone(request, response)
    log.error({ error: String(error) }, 'a share page could not be shown')
    response
      .status(503)
      .set('Retry-After', '10')
      .type('text/html')
      .send(troublePage(languageOf(request)))
  }
}

const sendAsset: RequestHandler = (request, response, next) => {
  const name = String(request.params.file)
  const asset = Object.hasOwn(assets, name) ? assets[name] : undefined
  if (asset === undefined) return next()
  // An update must not meet an old script: small enough to be asked for each time.
  response.type(asset.type).send(asset.text)
}

const token = { name: 'token', in: 'path', required: true, schema: { type: 'string' } }
const lang = { name: 'lang', in: 'query', required: false, schema: { enum: ['ja', 'en'] } }

/** Their part of the OpenAPI document. */
export const sharePaths = {
  '/share/{token}': { get: described('showSharePage', 'The page for whoever edits the DNS of a domain', 'text/html') },
  '/share/{token}/request': {
    get: described('showShareRequest', 'The same as text to paste into a mail (設定依頼書)', 'text/plain'),
  },
  '/share/{token}/check': {
    post: {
      ...described(
        'checkByShareLink',
        'Checks the records now, at most every 30 seconds; leads back to the page',
        'text/html',
      ),
      responses: { 303: { description: 'Checked, or too early (Retry-After)' }, 404: gonePart() },
    },
  },
  '/share-assets/{file}': {
    get: {
      ...described('shareAsset', 'Style and script of the page', 'text/css'),
      parameters: [{ name: 'file', in: 'path', required: true, schema: { enum: Object.keys(assets) } }],
    },
  },
}

function described(operationId: string, summary: string, type: string) {
  const responses = { 200: { description: 'In the language asked for', content: { [type]: {} } }, 404: gonePart() }
  return { operationId, summary, tags: ['share'], security: [], parameters: [token, lang], responses }
}

function gonePart() {
  return { description: 'No such link, or it is over', content: { 'text/html': {} } }
}
