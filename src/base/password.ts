/**
 * Passwords of credentials: made by us, hashed with Argon2id, never stored or shown twice (design invariant 5).
 */
import { hash, verify } from '@node-rs/argon2'
import { randomText } from './ids.ts'

/** OWASP's first choice for Argon2id on servers: 19 MiB, 2 passes, 1 lane; about 20 ms here, on the thread pool. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** 32 characters of 5 bits: 160 bits, without anything that needs quoting in a shell or a URL. */
export function newPassword(): string {
  return randomText(32)
}

/** A PHC string. */
export function hashPassword(password: string): Promise<string> {
  return hash(password, cost)
}

/** False also for a hash that can't be read. */
export async function verifyPassword(password: string, passwordHash: string): Promise<boolean> {
  return verify(passwordHash, password).catch(() => false)
}
