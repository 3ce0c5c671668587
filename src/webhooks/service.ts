/**
 * Everything that can be done with webhooks.
 *
 * Each call answers the webhook as it then is. Fails with NotFound, Conflict (too many) and StoreUnavailable; what a
 * receiver does is a failure in its status, never one of a call.
 */
import { newId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { Turnstile } from '../dns/turnstile.ts'
import type { AccountId, Instant } from '../mail/ids.ts'
import type { Webhook, WebhookId, WebhookProgress } from '../mail/webhook.ts'
import { Conflict, type Page, type Store, type WebhookChange } from '../store/store.ts'
import type { DeliveryCounts } from './courier.ts'
import { type Delivered, type DeliveryParts, sealPurpose } from './delivery.ts'
import { firstSince } from './pages.ts'
import { type RenderEvent, testPayload } from './payload.ts'
import { mostWebhooks, Roster } from './roster.ts'
import { newSecret } from './signature.ts'

export type WebhookDraft = Pick<Webhook, 'url' | 'account' | 'types' | 'terminalOnly' | 'batch' | 'note'>
export type WebhookEdit = Partial<Omit<WebhookDraft, 'account'> & Pick<Webhook, 'state' | 'stateReason'>>

/** Without its secrets. */
export interface WebhookView extends Omit<Webhook, 'sealedSecret' | 'previousSecret'> {
  /** How many events it has still to look at; not all of them may be wanted. */
  readonly lag: number
  /** Until then the secret before the last rotation signs too. */
  readonly previousSecretUntil: Instant | null
}

export interface ShownOnce {
  readonly webhook: WebhookView
  readonly secret: string
}

export interface Webhooks {
  create(draft: WebhookDraft): Promise<ShownOnce>
  view(id: WebhookId): Promise<WebhookView>
  list(filter: { readonly account?: AccountId }, page: Page): Promise<readonly WebhookView[]>
  change(id: WebhookId, edit: WebhookEdit): Promise<WebhookView>
  rotateSecret(id: WebhookId): Promise<ShownOnce>
  /** Sends again, or skips: the next event is the one with this seq, or the first at that time or later. */
  replay(id: WebhookId, from: { readonly seq: number } | { readonly since: Instant }): Promise<WebhookView>
  /** Sends a test at once, also while paused. */
  test(id: WebhookId): Promise<Delivered & { readonly ms: number }>
  remove(id: WebhookId): Promise<void>
  /** Of those that are served now, for metrics. */
  states(): Promise<readonly (WebhookView & DeliveryCounts)[]>
  stop(): Promise<void>
}

export interface WebhooksParts extends DeliveryParts {
  readonly store: Store
  readonly log: Log
  readonly render: RenderEvent
  readonly random?: () => number
}

export async function openWebhooks(parts: WebhooksParts): Promise<Webhooks> {
  const { store, seal, clock, log, config } = parts
  const turnstiles = { prompt: new Turnstile(config.requests), tardy: new Turnstile(config.requests) }
  const courier = { ...parts, ...turnstiles, random: parts.random ?? Math.random }
  const roster = await Roster.open({ store, clock, log, pollMs: config.pollInterval, courier })

  function viewOf(webhook: Webhook, newest: number): WebhookView {
    const { sealedSecret: _, previousSecret, ...rest } = webhook
    const progress = roster.progressOf(webhook.id) ?? webhook.progress
    const isCounted = previousSecret !== null && previousSecret.until > clock.now()
    const previousSecretUntil = isCounted ? previousSecret.until : null
    return { ...rest, progress, lag: Math.max(0, newest - progress.cursor), previousSecretUntil }
  }

  async function view(id: WebhookId): Promise<WebhookView> {
    return viewOf(roster.courier(id).webhook, (await store.eventRange()).newest)
  }

  async function update(id: WebhookId, change: WebhookChange): Promise<WebhookView> {
    await store.updateWebhook(id, change)
    await roster.reload(id)
    return view(id)
  }

  return {
    view,

    async create(draft) {
      if (roster.all.length >= mostWebhooks)
        throw new Conflict(`there are ${mostWebhooks} webhooks already; remove one that is not in use`, null)
      const id = newId(clock.now())
      const secret = newSecret()
      await store.createWebhook({
        ...{ id, ...draft },
        sealedSecret: seal.seal(secret, sealPurpose(id)),
        previousSecret: null,
        state: 'enabled',
        stateReason: null,
        createdAt: clock.now(),
        progress: beginning((await store.eventRange()).newest),
      })
      await roster.reload(id)
      return { webhook: await view(id), secret }
    },

    async list(filter, page) {
      const { newest } = await store.eventRange()
      return (await store.listWebhooks(filter, page)).map(webhook => viewOf(webhook, newest))
    },

    change: update,

    async rotateSecret(id) {
      const secret = newSecret()
      const webhook = await update(id, {
        sealedSecret: seal.seal(secret, sealPurpose(id)),
        previousSecret: { sealed: roster.courier(id).webhook.sealedSecret, until: clock.now() + config.secretOverlap },
      })
      return { webhook, secret }
    },

    async replay(id, from) {
      const courier = roster.courier(id)
      await courier.moveTo('seq' in from ? from.seq : await firstSince(store, from.since))
      return view(id)
    },

    async test(id) {
      const startedAt = clock.monotonic()
      const courier = roster.courier(id)
      const delivered = await courier.send(testPayload(courier.webhook, newId(clock.now()), clock.now()))
      return { ...delivered, ms: Math.round(clock.monotonic() - startedAt) }
    },

    async remove(id) {
      await store.deleteWebhook(id)
      await roster.reload(id)
    },

    async states() {
      const { newest } = await store.eventRange()
      return roster.all.map(({ webhook, counts }) => ({ ...viewOf(webhook, newest), ...counts }))
    },

    stop: () => roster.stop(),
  }
}

/** What happened before is not told: an operator can replay it. */
function beginning(newest: number): WebhookProgress {
  return { cursor: newest, gapTold: newest, failures: 0, nextTryAt: null, lastSuccess: null, lastFailure: null }
}
