/**
 * What stands in a request: one event, or a list of events where the receiver takes several.
 *
 * Version 1: `{version, id, type, at, seq, account, …, data}`, the fields of an event as the API shows them. The id stays
 * the same however often an event is sent; a reader that remembers ids takes each once. Fields are added, never changed;
 * what must change gets a new version.
 */
import type { Event } from '../mail/event.ts'
import type { Instant } from '../mail/ids.ts'
import type { Webhook } from '../mail/webhook.ts'

export const payloadVersion = 1

/** An event as the API shows it: plain JSON. */
export type RenderEvent = (event: Event) => object

/** What one request carries. */
export interface Payload {
  /** Header webhook-id: the event's id, or that of the list. */
  readonly id: string
  readonly body: Buffer
  /** How many events of the store it carries. */
  readonly count: number
}

/** A list grows no further; one event alone may be larger. */
const listBytes = 256 * 1024

/** The time stands in it because a database restored from a backup counts on from an earlier seq. */
export function eventId({ seq, at }: Event): string {
  return `${seq}-${at.toString(36)}`
}

/** As many of the events, in order, as fit into one request. At least one is given. */
export function payloadOf({ batch }: Pick<Webhook, 'batch'>, events: readonly Event[], render: RenderEvent): Payload {
  const texts: string[] = []
  let bytes = 0
  for (const event of events.slice(0, batch)) {
    const text = JSON.stringify({ version: payloadVersion, id: eventId(event), ...render(event) })
    bytes += Buffer.byteLength(text)
    if (texts.length > 0 && bytes > listBytes) break
    texts.push(text)
  }
  const [first, last] = [events[0]!, events[texts.length - 1]!]
  const id = texts.length === 1 ? eventId(first) : `${eventId(first)}_${eventId(last)}`
  return asPayload(batch, id, texts)
}

/** Tells that events were deleted before they could be sent: those after one seq through another, as far as they fitted. */
export function gapPayload({ batch }: Pick<Webhook, 'batch'>, after: number, through: number, at: Instant): Payload {
  const data = {
    after,
    through,
    message: {
      ja: `seq ${after} より後、${through} までのイベントの一部は、送信する前に保存期間(queue.keepHistory)を過ぎて削除されました。`,
      en: `Events after seq ${after} through ${through} were deleted before they could be sent, since they were older than queue.keepHistory.`,
    },
  }
  return { ...relayPayload(batch, `gap-${after}-${through}`, 'webhook.gap', at, data), count: 0 }
}

export function testPayload({ batch }: Pick<Webhook, 'batch'>, id: string, at: Instant): Payload {
  const data = { message: { ja: 'Kitteからのテスト送信です。', en: 'This is a test by Kitte.' } }
  return { ...relayPayload(batch, `test-${id}`, 'webhook.test', at, data), count: 0 }
}

function relayPayload(batch: number, id: string, type: string, at: Instant, data: object): Payload {
  const event = { version: payloadVersion, id, type, at: new Date(at).toISOString(), seq: null, account: null, data }
  return asPayload(batch, id, [JSON.stringify(event)])
}

/** The form is the webhook's, not the number's: a list of one is a list. */
function asPayload(batch: number, id: string, texts: readonly string[]): Payload {
  const body = batch === 1 ? texts[0]! : `{"version":${payloadVersion},"events":[${texts.join(',')}]}`
  return { id, body: Buffer.from(body), count: texts.length }
}
