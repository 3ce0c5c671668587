/**
 * Judges of received mail that share no code with us, as milters for Postfix: rspamd for SPF, DKIM and DMARC, opendkim for
 * DKIM once more. Each writes an Authentication-Results field (RFC 8601) on top; both ask our name server.
 */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from 'mocha'
import { needProgram, start, temporaryFolder } from './program.ts'

export interface Judge extends AsyncDisposable {
  /** As Postfix wants it in smtpd_milters. */
  readonly milter: string
}

/** Nobody's: both would trust what comes from their own networks, and the relay under test is on loopback. */
const nobody = '192.0.2.1'

export async function startRspamd(test: Context, name: string, dnsPort: number): Promise<Judge> {
  const rspamd = needProgram(test, 'rspamd')
  const folder = temporaryFolder('kitte-rspamd-')
  chmodSync(folder.path, 0o755)
  const socket = join(folder.path, 'milter.sock')
  const file = join(folder.path, 'rspamd.conf')
  writeFileSync(file, rspamdConfiguration(folder.path, socket, name, dnsPort))
  writeFileSync(
    join(folder.path, 'rules.lua'),
    `require "global_functions" ()\nconfig['regexp'] = {}\nrspamd_maps = {}\n`,
  )
  // Of its own list of 9,000 it builds a searcher for half a minute.
  writeFileSync(join(folder.path, 'domains'), 'example\ntest\n')
  mkdirSync(join(folder.path, 'hs'))
  const args = ['-f', '-i', '-u', 'root', '-g', 'root', '-c', file]
  const variables = [`--var=DBDIR=${folder.path}`, `--var=RUNDIR=${folder.path}`]
  const running = await start(rspamd, [...args, ...variables], () => existsSync(socket))
  return {
    milter: `unix:${socket}`,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

function rspamdConfiguration(folder: string, socket: string, name: string, dnsPort: number): string {
  return `options {
  pidfile = "${folder}/pid";
  tempdir = "${folder}";
  cache_file = "${folder}/symbols";
  hs_cache_dir = "${folder}/hs";
  url_tld = "${folder}/domains";
  filters = "dkim";
  local_addrs = ["${nobody}"];
  disable_hyperscan = true;
  dns { nameserver = ["127.0.0.1:${dnsPort}:1"]; timeout = 5s; retransmits = 2; }
}
logging { type = "console"; level = "error"; }
worker "rspamd_proxy" {
  bind_socket = "${socket} mode=0666";
  milter = yes;
  timeout = 60s;
  upstream "local" { default = yes; self_scan = yes; }
  count = 1;
}
worker "hs_helper" { count = -1; }
modules { path = "$PLUGINSDIR/spf.lua"; path = "$PLUGINSDIR/dmarc.lua"; path = "$PLUGINSDIR/milter_headers.lua"; }
lua = "${folder}/rules.lua";
actions { reject = null; add_header = null; greylist = null; }
spf { check_local = true; check_authed = true; }
dkim { check_local = true; check_authed = true; trusted_only = false; }
dmarc { check_local = true; check_authed = true; }
milter_headers {
  use = ["authentication-results"];
  skip_local = false;
  skip_authenticated = false;
  authenticated_headers = ["authentication-results"];
  local_headers = ["authentication-results"];
  routines { authentication-results { add_smtp_user = false; remove = 0; hostname = "${name}"; } }
}
`
}

export async function startOpendkim(test: Context, name: string, dnsPort: number): Promise<Judge> {
  const opendkim = needProgram(test, 'opendkim')
  const folder = temporaryFolder('kitte-opendkim-')
  chmodSync(folder.path, 0o755)
  const socket = join(folder.path, 'milter.sock')
  const [file, dns] = [join(folder.path, 'opendkim.conf'), join(folder.path, 'unbound.conf')]
  // libunbound, of which no name may be left to the local zones it has by default.
  writeFileSync(
    dns,
    `server:
  do-not-query-localhost: no
  local-zone: "test." nodefault
  local-zone: "example." nodefault
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@${dnsPort}
`,
  )
  writeFileSync(
    file,
    `Mode v
Socket local:${socket}
UMask 000
AuthservID ${name}
AlwaysAddARHeader yes
InternalHosts csl:${nobody}
ResolverConfiguration ${dns}
Syslog no
`,
  )
  const running = await start(opendkim, ['-f', '-x', file], () => existsSync(socket))
  return {
    milter: `unix:${socket}`,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}
