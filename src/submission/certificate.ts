/**
 * The certificate of the listeners: the configured one, or a self-signed one made at first start.
 *
 * Changed files are taken up without restart; files that can't be used leave the old certificate in place and are told
 * in the log. Fails at start only.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import type { HostName, Instant } from '../mail/ids.ts'
import type { Certificate } from './self-signed.ts'

export interface CertificateFiles {
  readonly keyFile: string
  readonly certFile: string
}

export interface CertificateWatch {
  readonly current: Certificate
  /** Reads the files again now. */
  reload(): void
  stop(): void
}

export interface CertificateParts {
  readonly config: Pick<Config, 'dataDir' | 'hostname' | 'submission'>
  readonly clock: Clock
  readonly log: Log
  /** Called with each new certificate. */
  onChange(certificate: Certificate): void
}

const lookEveryMs = 10_000

export async function openCertificate({ config, clock, log, onChange }: CertificateParts): Promise<CertificateWatch> {
  const files = filesOf(config)
  if (files.selfSigned) await makeOnce(files, config.hostname, clock.now())
  let current = readCertificate(files)
  let seen = changedAt(files)
  const reload = () => {
    seen = changedAt(files)
    try {
      const read = readCertificate(files)
      if (read.cert === current.cert && read.key === current.key) return
      current = read
      onChange(read)
      log.info({ certFile: files.certFile }, 'took up a new certificate')
    } catch (error) {
      log.error({ err: error, certFile: files.certFile }, 'the certificate files can not be used; the old one stays')
    }
  }
  const stop = clock.every(lookEveryMs, () => {
    if (changedAt(files) !== seen) reload()
  })
  return {
    get current() {
      return current
    },
    reload,
    stop,
  }
}

function filesOf({ dataDir, submission }: CertificateParts['config']): CertificateFiles & { selfSigned: boolean } {
  const { keyFile, certFile } = submission.tls
  if (keyFile !== null && certFile !== null) return { keyFile, certFile, selfSigned: false }
  const folder = join(dataDir, 'tls')
  return { keyFile: join(folder, 'key.pem'), certFile: join(folder, 'cert.pem'), selfSigned: true }
}

/** Modification times as one text; a file that is away, or can't be looked at, counts as changed. */
function changedAt(files: CertificateFiles): string {
  return [files.keyFile, files.certFile].map(modifiedAt).join(' ')
}

function modifiedAt(file: string): number | string {
  try {
    return statSync(file).mtimeMs
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

/** Fails when a file is missing, no PEM, or when key and certificate don't belong together. */
function readCertificate({ keyFile, certFile }: CertificateFiles): Certificate {
  const certificate = { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') }
  createSecureContext(certificate)
  if (!new X509Certificate(certificate.cert).checkPrivateKey(createPrivateKey(certificate.key)))
    throw new Error(`${certFile} is not the certificate of the key in ${keyFile}`)
  return certificate
}

/** What writes it is 3 MB of code: loaded only then. */
async function makeOnce({ keyFile, certFile }: CertificateFiles, hostname: HostName, now: Instant): Promise<void> {
  if (existsSync(keyFile) && existsSync(certFile)) return
  const { selfSigned } = await import('./self-signed.ts')
  mkdirSync(dirname(keyFile), { recursive: true, mode: 0o700 })
  const { key, cert } = selfSigned(hostname, now)
  writeFileSync(keyFile, key, { mode: 0o600 })
  writeFileSync(certFile, cert, { mode: 0o644 })
}
