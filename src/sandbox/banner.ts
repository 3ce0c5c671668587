/**
 * What `npm start` prints: all that is needed to send the first mail, see it arrive, and try the onboarding.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { adminTokenFile, type Config } from '../base/config.ts'
import type { Demo } from './demo.ts'

/** A line for a shell, in one piece: made for pasting. */
export function sendCommandOf(config: Config, { username, password, domain }: Demo): string {
  const from = `hello@${domain}`
  const to = 'someone@anywhere.example'
  const text = `From: ${from}\\r\\nTo: ${to}\\r\\nSubject: Hello\\r\\n\\r\\nHello from Kitte\\r\\n`
  const address = addressOf(config, 'starttls')
  // -k: the certificate is self-signed.
  return `printf '${text}' | curl -sSk --ssl-reqd --url smtp://${address} -u ${username}:${password} --mail-from ${from} --mail-rcpt ${to} -T -`
}

export function bannerOf(config: Config, demo: Demo, httpPort: number): string {
  const { username, password, domain, account } = demo
  const api = `http://127.0.0.1:${httpPort}`
  const swaks = `swaks --server ${addressOf(config, 'starttls')} --tls --auth-user ${username} --auth-password ${password} --from hello@${domain} --to someone@anywhere.example`
  return `
Kitte sandbox: nothing leaves this machine / サンドボックス: メールはこのマシンの外に出ません

  SMTP host / ホスト       ${config.submission.listeners[0]!.host}
  SMTP port / ポート       ${portsOf(config)}
  user / ユーザー名        ${username}
  password / パスワード    ${password}
  From / 差出人            anything@${domain}
  arrived / 届いたメール   ${api}/sandbox
  API token / トークン     ${tokenOf(config)}

Send a mail / メールを送る (550-5.1.1@anywhere.example is refused / は拒否されます):
${sendCommandOf(config, demo)}
${swaks}

Try the onboarding / ドメイン登録を試す:
  npm run -s kitte -- domain create shop.example --account ${account}
  npm run -s kitte -- sandbox publish shop.example
  npm run -s kitte -- domain verify shop.example

Log / ログ: npm run -s kitte -- tail    Stop / 停止: Ctrl+C    Start afresh / 初期化: rm -r ${config.dataDir}
`
}

function addressOf({ submission }: Config, tls: 'starttls' | 'implicit'): string {
  const { host, port } = submission.listeners.find(listener => listener.tls === tls) ?? submission.listeners[0]!
  return `${host}:${port}`
}

function portsOf({ submission }: Config): string {
  const words = { starttls: 'STARTTLS', implicit: 'TLS', none: 'no TLS' }
  return submission.listeners.map(({ port, tls }) => `${port} (${words[tls]})`).join('   ')
}

function tokenOf({ dataDir }: Config): string {
  const file = join(dataDir, adminTokenFile)
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : 'as in KITTE_ADMIN_TOKEN'
}
