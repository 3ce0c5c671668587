/**
 * Sender domains as literals for tests.
 */
import type { DkimKey, SenderDomain } from '../../src/mail/sender-domain.ts'

export function domainWith(change: Partial<SenderDomain>): SenderDomain {
  return {
    name: 'ours.example',
    account: 'a1',
    createdAt: 0,
    limits: {},
    archivedAt: null,
    keys: [],
    checks: [],
    nextCheckAt: 0,
    keyFailure: null,
    ...change,
  }
}

export function keyWith(change: Partial<DkimKey>): DkimKey {
  return {
    domain: 'ours.example',
    selector: '20260115',
    algorithm: 'rsa',
    bits: 2048,
    publicKey: 'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAexample+/==',
    sealedPrivateKey: '',
    state: 'active',
    createdAt: 1000,
    stateSince: 1000,
    ...change,
  }
}
