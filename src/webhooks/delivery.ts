/**
 * Delivers one payload to one receiver, and says whether it was taken.
 *
 * Each time the host is resolved anew and its addresses judged (dns/refused-address.ts), so that a name can't be turned
 * to our own network later. 2xx is taken; everything else is a failure with its reason. Fails when a secret can't be opened.
 */
import type { Agent } from 'node:http'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Seal } from '../base/seal.ts'
import { findAddresses, type LookupFailure } from '../dns/mx.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { DeliveryFailure, Webhook } from '../mail/webhook.ts'
import { hostOf } from './endpoint-url.ts'
import { type Answer, exchange, type NoAnswer } from './exchange.ts'
import type { FailureReason } from './failures.ts'
import type { Payload } from './payload.ts'
import { signedHeaders } from './signature.ts'

export interface DeliveryParts {
  readonly resolver: Resolver
  readonly seal: Seal
  readonly clock: Clock
  readonly config: Config['webhooks'] & Pick<Config['delivery'], 'ipv6'>
}

export interface Route {
  readonly url: URL
  readonly agent: Agent
  readonly signal: AbortSignal
}

export type Delivered =
  | { readonly taken: true; readonly status: number }
  | { readonly taken: false; readonly failure: DeliveryFailure; readonly askedMs: number }

const addressesTried = 4

/** A webhook's secret is sealed for it alone. */
export function sealPurpose(id: string): string {
  return `webhook:${id}`
}

export async function deliver(
  parts: DeliveryParts,
  webhook: Webhook,
  payload: Payload,
  route: Route,
): Promise<Delivered> {
  const { clock, config } = parts
  const found = await resolve(parts, route.url)
  if ('failure' in found) return judge(unreachable(found.failure), parts, route.url)
  const headers = signedHeaders(secretsOf(parts, webhook), payload.id, clock.now(), payload.body)
  const result = await exchange({
    ...route,
    addresses: found.addresses,
    headers: { 'content-type': 'application/json', 'user-agent': 'Kitte', ...headers },
    body: payload.body,
    timeoutMs: config.timeout,
    clock,
  })
  return judge(result, parts, route.url)
}

/** RFC 6761 §6.3: localhost is loopback, whoever is asked. */
function resolve({ resolver, config }: DeliveryParts, url: URL) {
  const host = hostOf(url)
  const { allowPrivateAddresses, ipv6 } = config
  const options = { allowPrivateAddresses, ipv6, maxHosts: 1, maxAddressesPerHost: addressesTried }
  return findAddresses(resolver, /^(?:.*\.)?localhost$/.test(host) ? '127.0.0.1' : host, options)
}

function secretsOf({ seal, clock }: DeliveryParts, { id, sealedSecret, previousSecret }: Webhook): string[] {
  const isCounted = previousSecret !== null && previousSecret.until > clock.now()
  const sealed = isCounted ? [sealedSecret, previousSecret.sealed] : [sealedSecret]
  return sealed.map(text => seal.open(text, sealPurpose(id)))
}

function unreachable({ kind, detail }: LookupFailure): NoAnswer {
  const failed = { 'dns-trouble': 'dns-trouble', 'private-address': 'refused-address' } as const
  return { failed: kind in failed ? failed[kind as keyof typeof failed] : 'no-host', problem: detail }
}

function judge(result: Answer | NoAnswer, { clock, config }: DeliveryParts, url: URL): Delivered {
  const at = clock.now()
  if ('failed' in result) {
    const detail = { host: hostOf(url), problem: result.problem, seconds: String(config.timeout / 1000) }
    return { taken: false, failure: { at, reason: result.failed, status: null, detail, reply: '' }, askedMs: 0 }
  }
  const { status, reply } = result
  if (status >= 200 && status < 300) return { taken: true, status }
  const detail = { host: hostOf(url), status: String(status), location: shownLocation(result.location, url) }
  const failure = { at, reason: reasonOf(status), status, detail, reply }
  return { taken: false, failure, askedMs: waitAsked(result.retryAfter, at) }
}

/** RFC 9110 §15. */
function reasonOf(status: number): FailureReason {
  if (status === 410) return 'gone'
  if (status >= 300 && status < 400) return 'redirect'
  return status >= 400 && status < 500 ? 'refused' : 'receiver-trouble'
}

/** Without query and userinfo: they may hold secrets. */
function shownLocation(location: string, base: URL): string {
  if (!URL.canParse(location, base.href)) return location === '' ? '?' : 'an unreadable address'
  const { origin, pathname } = new URL(location, base)
  return `${origin === 'null' ? '' : origin}${pathname}`
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function waitAsked(text: string, now: number): number {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  const date = Date.parse(text)
  return Number.isFinite(date) ? Math.max(0, date - now) : 0
}
