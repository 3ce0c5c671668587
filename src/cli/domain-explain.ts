/**
 * `kitte domain explain`: how the mail of a domain travels now, and what a receiver would make of it.
 */
import type { Command } from 'commander'
import type { ExplanationAnswer } from '../admin/routes/domain-explain.ts'
import { type CliContext, colour, connect, show } from './context.ts'
import { facts } from './table.ts'
import { type TimeText, timesOf } from './times.ts'

type Style = Parameters<typeof colour>[1]

const styles: Readonly<Record<string, Style>> = {
  ...{ pass: 'green', valid: 'green' },
  ...{ fail: 'red', invalid: 'red', permerror: 'red' },
}

export function registerExplain(domain: Command, context: CliContext): void {
  domain
    .command('explain')
    .argument('<name>', 'a registered sender domain')
    .description('tell how its mail travels now, and what a receiver would make of it')
    .action(async (name: string, _options: object, command: Command) => {
      const path = `/v1/domains/${encodeURIComponent(name)}/explain`
      const explanation = await connect(context, command).get<ExplanationAnswer>(path)
      const at = timesOf(context, command)
      show(context, command, explanation, answer => explanationText(context, answer, at))
    })
}

function explanationText(context: CliContext, explanation: ExplanationAnswer, at: TimeText): string {
  const { name, mode, modeReason, message, envelopeDomain, policy, dkim, addresses } = explanation
  const heading = facts([
    ['domain', name],
    ['asked', at(explanation.at)],
    ['mode', `${mode} (${modeReason})`],
    ['', message.ja],
    ['', message.en],
    ['reverse-path', envelopeDomain],
    ['DMARC policy', policy.policy ?? 'none published'],
    ['', policy.message.ja],
    ['', policy.message.en],
  ])
  const signatures = dkim.map(({ selector, domain, algorithm, result, message }) =>
    block(context, `DKIM  ${selector}._domainkey.${domain} (${algorithm})`, result, message),
  )
  const verdicts = addresses.map(({ ip, spf, dmarc }) =>
    [
      block(context, `SPF  ${ip}`, spf.result, spf.message),
      block(context, `DMARC  ${ip}`, dmarc.result, dmarc.message),
    ].join('\n'),
  )
  const nowhere = addresses.length > 0 ? [] : ['spf.sendingIps is empty, so there is no address to ask SPF about.']
  return [heading, ...signatures, ...verdicts, ...nowhere].join('\n\n')
}

function block(context: CliContext, what: string, result: string, { ja, en }: { ja: string; en: string }): string {
  return [`${what}: ${colour(context, styles[result] ?? 'yellow', result)}`, `  ${ja}`, `  ${en}`].join('\n')
}
