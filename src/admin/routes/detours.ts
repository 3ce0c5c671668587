/**
 * Detours: mail for a recipient domain or a site goes to other hosts than its MX, through an outage or to a smarthost.
 */
import { z } from 'zod'
import { type Detour, siteOfDetour } from '../../mail/detour.ts'
import { tlsLevels } from '../../mail/tls-level.ts'
import type { AdminDependencies } from '../dependencies.ts'
import { domainName, hostName, id, instant, mend, port, text, time, timestamp } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { invalidField, notFound } from '../problem.ts'

const mostHosts = 10

/** `relay.example:587`, `192.0.2.1`, `[2001:db8::1]:587`; alone an IPv6 address needs no brackets. */
const hostWithPort = z
  .string(mend('detour-host'))
  .transform(written => {
    const [, bracketed, name, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(written.trim()) ?? []
    return { host: bracketed ?? name ?? written.trim(), port: digits === undefined ? null : Number(digits) }
  })
  .pipe(z.object({ host: hostName, port: port.nullable() }, mend('detour-host')))

const newDetour = z.strictObject(
  {
    domain: domainName.meta({ description: 'Recipient domain, or the end of the names of its MX hosts: outlook.com' }),
    hosts: z
      .array(hostWithPort, mend('detour-host'))
      .min(1, mend('detour-host'))
      .max(mostHosts, mend('detour-host'))
      .meta({ description: 'Tried in this order; each host or host:port, without a port that of all MX hosts' }),
    tls: z.enum(tlsLevels, mend('tls')).optional().meta({
      description: 'At least this; absent: as for any site. What the domain publishes is not for these hosts',
    }),
    until: instant.nullable().optional().meta({ description: 'Ends by itself then; absent: when it is removed' }),
    note: text(1, 500, 'note').meta({ description: 'Why' }),
  },
  mend('object'),
)

const detourAnswer = z.object({
  id: z.string(),
  domain: z.string(),
  hosts: z.array(z.object({ host: z.string(), port: z.int().nullable() })),
  site: z.string().meta({ description: 'What its mail is counted and limited as' }),
  tls: z.enum(tlsLevels).nullable(),
  createdAt: timestamp,
  until: timestamp.nullable(),
  note: z.string(),
})
export type DetourAnswer = z.output<typeof detourAnswer>

const path = '/v1/routes'

export function detourRoutes({ store, suspensions, clock }: AdminDependencies): Operation[] {
  return [
    operation({
      method: 'post',
      path,
      id: 'addRoute',
      summary: 'Sends mail for a recipient domain or site to other hosts; what waits follows at its next try',
      body: newDetour,
      answer: { status: 201, schema: detourAnswer },
      location: ({ id }) => `${path}/${id}`,
      async run({ body: { tls = null, until = null, ...wanted } }) {
        if (until !== null && until <= clock.now()) throw invalidField('until', 'future')
        const known = await store.detours()
        if (known.some(({ domain }) => domain === wanted.domain)) throw invalidField('domain', 'detour-domain')
        return render(await suspensions.detour({ ...wanted, tls, until }))
      },
    }),
    operation({
      method: 'get',
      path,
      id: 'listRoutes',
      summary: 'Lists the routes that lead elsewhere than the MX, oldest first',
      answer: { status: 200, schema: z.object({ routes: z.array(detourAnswer) }) },
      run: async () => ({ routes: (await store.detours()).map(render) }),
    }),
    operation({
      method: 'delete',
      path: `${path}/{id}`,
      id: 'removeRoute',
      summary: 'Removes a route: its mail goes to the MX again',
      params: z.object({ id }),
      async run({ params: { id } }) {
        const removed = await suspensions.endDetour(id)
        if (removed === null) throw notFound({ ja: `経路 ${id} `, en: `route ${id}` })
      },
    }),
  ]
}

function render(detour: Detour): DetourAnswer {
  const { id, domain, hosts, tls, createdAt, until, note } = detour
  const site = siteOfDetour(detour)
  return { id, domain, hosts: [...hosts], site, tls, createdAt: time(createdAt), until: time(until), note }
}
