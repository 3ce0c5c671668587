/**
 * `kitte domain share`, `shares` and `request`: what whoever edits the DNS of a domain is sent.
 */
import type { Command } from 'commander'
import type { ShareAnswer, ShareMade } from '../admin/routes/shares.ts'
import { type CliContext, colour, commonOptions, connect, print, show, tell } from './context.ts'
import { readAll } from './lists.ts'
import { table } from './table.ts'
import { timesOf } from './times.ts'

const pathOf = (name: string) => `/v1/domains/${encodeURIComponent(name)}`

export function registerShares(domain: Command, context: CliContext): void {
  registerShare(domain, context)
  registerList(domain, context)
  registerRequest(domain, context)
}

function registerShare(domain: Command, context: CliContext): void {
  domain
    .command('share')
    .argument('<name>', 'a registered sender domain')
    .option('--expires <duration>', 'how long the link works, such as 12h or 30d (domains.shareLink when not given)')
    .description('make a link to a page for whoever edits the DNS of the domain, without login')
    .action(async (name: string, { expires }: { expires?: string }, command: Command) => {
      const body = expires === undefined ? {} : { expiresIn: expires }
      const made = await connect(context, command).post<ShareMade>(`${pathOf(name)}/share`, body)
      const at = timesOf(context, command)
      show(context, command, made, ({ url, id, expiresAt, note }) =>
        [
          url,
          '',
          `Send it to whoever edits the DNS of ${name}; it is not shown again and works until ${at(expiresAt)}.`,
          `DNSを編集する方に送ってください。再表示はできません。${at(expiresAt)}まで有効です。`,
          `"kitte domain shares ${name} --revoke ${id}" ends it before.`,
          ...(note === null ? [] : ['', colour(context, 'yellow', note.en), colour(context, 'yellow', note.ja)]),
        ].join('\n'),
      )
    })
}

function registerList(domain: Command, context: CliContext): void {
  domain
    .command('shares')
    .argument('<name>', 'a registered sender domain')
    .option('--revoke <id>', 'end this link at once')
    .description('list the share links of a domain, or end one')
    .action(async (name: string, { revoke }: { revoke?: string }, command: Command) => {
      const api = connect(context, command)
      if (revoke !== undefined) {
        await api.delete(`${pathOf(name)}/share/${encodeURIComponent(revoke)}`)
        return tell(context, command, `revoked share link ${revoke} of ${name}`)
      }
      const shares = await readAll<ShareAnswer>(api, `${pathOf(name)}/share`, 'shares')
      const at = timesOf(context, command)
      show(context, command, { shares }, answer =>
        table(
          ['id', 'state', 'created', 'expires', 'revoked'],
          answer.shares.map(share => [
            share.id,
            share.state,
            at(share.createdAt),
            at(share.expiresAt),
            share.revokedAt === null ? null : at(share.revokedAt),
          ]),
          `no share links; "kitte domain share ${name}" makes one`,
        ),
      )
    })
}

function registerRequest(domain: Command, context: CliContext): void {
  domain
    .command('request')
    .argument('<name>', 'a registered sender domain')
    .option('--lang <language>', 'ja or en', 'ja')
    .description('print the request to whoever edits the DNS (設定依頼書), to paste into a mail')
    .action(async (name: string, { lang }: { lang: string }, command: Command) => {
      const text = await connect(context, command).text(`${pathOf(name)}/request?lang=${encodeURIComponent(lang)}`)
      if (commonOptions(context, command).json) return show(context, command, { text }, () => text)
      print(context, text.trimEnd())
    })
}
