/**
 * rspamd as a milter that does nothing but sign: relaxed/relaxed with an RSA key of 2048 bits, as Kitte does.
 *
 * One process, as it is shipped. Everything it reads and writes stands in the folder of the run.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '../../test/support/real/program.ts'
import type { SigningMilter } from './postfix.ts'
import { startProgram } from './program.ts'
import { type SigningKeyFile, writeSigningKey } from './signing-key.ts'
import { type SubjectOptions, senderDomain } from './subject.ts'

export async function startRspamd({ folder: parent, variables }: SubjectOptions): Promise<SigningMilter> {
  const folder = join(parent, 'rspamd')
  mkdirSync(folder)
  const signingKey = writeSigningKey(folder)
  const socket = join(folder, 'milter.sock')
  const file = join(folder, 'rspamd.conf')
  writeFileSync(file, configurationOf(folder, socket, signingKey))
  // The rules it comes with judge spam; these judge nothing.
  writeFileSync(join(folder, 'rules.lua'), `require "global_functions" ()\nconfig['regexp'] = {}\nrspamd_maps = {}\n`)
  // It builds a searcher for all of these: its own list of 9,000 takes half a minute.
  writeFileSync(join(folder, 'domains'), 'test\n')
  const args = ['-f', '-i', '-u', 'root', '-g', 'root', '-c', file, `--var=DBDIR=${folder}`, `--var=RUNDIR=${folder}`]
  const program = await startProgram(findProgram('rspamd')!, args, { variables, ready: () => existsSync(socket) })
  const dispose = () => program[Symbol.asyncDispose]()
  return { ...program, socket, key: signingKey.key, [Symbol.asyncDispose]: dispose }
}

function configurationOf(folder: string, socket: string, { selector, keyFile }: SigningKeyFile): string {
  return `options {
  pidfile = "${folder}/pid";
  tempdir = "${folder}";
  cache_file = "${folder}/symbols";
  url_tld = "${folder}/domains";
  filters = "dkim";
  local_addrs = ["127.0.0.0/8"];
  disable_hyperscan = true;
}
logging { type = "console"; level = "error"; }
worker "rspamd_proxy" {
  bind_socket = "${socket} mode=0666";
  milter = yes;
  timeout = 120s;
  upstream "local" { default = yes; self_scan = yes; }
  count = 1;
}
worker "hs_helper" { count = -1; }
modules { path = "$PLUGINSDIR/dkim_signing.lua"; }
lua = "${folder}/rules.lua";
dkim { enabled = true; }
dkim_signing {
  sign_local = true;
  allow_username_mismatch = true;
  use_domain = "header";
  use_esld = false;
  domain { "${senderDomain}" { path = "${keyFile}"; selector = "${selector}"; } }
}
`
}
