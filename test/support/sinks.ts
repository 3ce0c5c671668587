/**
 * Many sinks for one relay: all on one port, since a relay knows one port of MX hosts, each at an address of its own.
 *
 * Linux answers on all of 127.0.0.0/8; elsewhere these addresses must be added to the loopback interface first.
 */
import type { Zone } from '../../src/dns/zone.ts'
import { type Sink, type SinkOptions, startSink } from './sink.ts'

export interface Sinks<Name extends string> extends AsyncDisposable {
  readonly port: number
  readonly at: Readonly<Record<Name, Sink>>
  /** Each name is a domain whose MX `mx.<name>` is the sink of that name. */
  readonly zone: Zone
  /** Open connections at all of them. */
  readonly open: number
}

/** `options`: by domain name. */
export async function startSinks<Name extends string>(
  options: Readonly<Record<Name, SinkOptions>>,
): Promise<Sinks<Name>> {
  const names = Object.keys(options) as Name[]
  const sinks: Sink[] = []
  const close = async () => void (await Promise.all(sinks.map(sink => sink.close())))
  try {
    for (const [index, name] of names.entries()) {
      const port = sinks[0]?.port ?? 0
      sinks.push(await startSink({ host: addressOf(index), port, ...options[name] }))
    }
  } catch (error) {
    await close()
    // Another program has the port at one of the addresses: the next free one will be another.
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return startSinks(options)
    throw error
  }
  const zones = names.map((name, index) => sinks[index]!.zone(name))
  return {
    port: sinks[0]!.port,
    at: Object.fromEntries(names.map((name, index) => [name, sinks[index]!])) as Record<Name, Sink>,
    zone: Object.assign({}, ...zones),
    get open() {
      return sinks.reduce((sum, sink) => sum + sink.open, 0)
    },
    [Symbol.asyncDispose]: close,
  }
}

function addressOf(index: number): string {
  return `127.0.${1 + Math.floor(index / 250)}.${1 + (index % 250)}`
}
