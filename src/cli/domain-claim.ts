/**
 * `kitte domain claim` and `prove`: a domain that another account holds, for whoever can publish in its zone.
 */
import type { Command } from 'commander'
import type { ClaimAnswer, ProofAnswer } from '../admin/routes/claims.ts'
import { CliError } from './cli-error.ts'
import { type CliContext, connect, show } from './context.ts'
import { accountIdOf } from './lists.ts'
import { facts } from './table.ts'

const pathOf = (name: string) => `/v1/domains/${encodeURIComponent(name)}/claim`

export function registerClaims(domain: Command, context: CliContext): void {
  domain
    .command('claim')
    .argument('<name>', 'a sender domain that another account holds')
    .requiredOption('--account <account>', 'id or name of the account that is to have it')
    .description('open a claim to a domain and print the TXT record that proves it')
    .action(async (name: string, options: { account: string }, command: Command) => {
      const api = connect(context, command)
      const account = await accountIdOf(api, options.account)
      show(context, command, await api.post<ClaimAnswer>(pathOf(name), { account }), claimText)
    })
  domain
    .command('prove')
    .argument('<name>', 'a claimed sender domain')
    .option('--account <account>', 'whose claim, by id or name; any open one when not given')
    .description('look for the proof of a claim, and give the domain to the claimer')
    .action(async (name: string, options: { account?: string }, command: Command) => {
      const api = connect(context, command)
      const account = options.account === undefined ? undefined : await accountIdOf(api, options.account)
      const answer = await api.post<ProofAnswer>(`${pathOf(name)}/verify`, { account })
      if (answer.state !== 'moved') throw new CliError(answer.message.en, answer.message.ja)
      show(context, command, answer, ({ message, domain }) =>
        [
          `${message.en}\n${message.ja}`,
          ...domain.records.map(({ name, type, value }) => `${name} ${type}\n  ${value}`),
        ].join('\n\n'),
      )
    })
}

function claimText({ domain, account, holder, record, expiresAt }: ClaimAnswer): string {
  const head = facts([
    ['domain', domain],
    ['claimed by', account],
    ['held by', holder],
    ['publish until', expiresAt],
    [record.type, record.name],
    ['value', record.value],
  ])
  return `${head}\n\nThen "kitte domain prove ${domain}" moves it. 公開後に「kitte domain prove ${domain}」を実行してください。`
}
