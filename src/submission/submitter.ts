/**
 * Who a session submits as, looked up anew for every message: a revoked credential or a suspended account counts at
 * once, in open sessions too.
 */
import type { Directory } from '../store/directory.ts'
import type { MailFacts, Submitter } from './checks/check.ts'

/** How the session came to its credential. */
export type Identity =
  | { readonly kind: 'login'; readonly username: string; readonly passwordHash: string }
  | { readonly kind: 'trusted'; readonly username: string }

export type FoundSubmitter = Pick<MailFacts, 'submitter' | 'missing'>

/** `mayLogIn`: AUTH is open to this session, under TLS or without. */
export async function findSubmitter(
  directory: Pick<Directory, 'credential' | 'account'>,
  identity: Identity | null,
  mayLogIn: boolean,
): Promise<FoundSubmitter> {
  if (identity === null) return { submitter: null, missing: mayLogIn ? 'login' : 'tls' }
  const missing = identity.kind === 'login' ? 'revoked' : 'trusted'
  const credential = await directory.credential(identity.username)
  const changed = identity.kind === 'login' && credential?.passwordHash !== identity.passwordHash
  if (credential === null || credential.revokedAt !== null || changed) return { submitter: null, missing }
  const account = credential.account === null ? null : await directory.account(credential.account)
  return { submitter: { credential, account } satisfies Submitter, missing }
}
