/**
 * The kinds of records Kitte asks a sender domain to publish, in the order they are shown.
 */
import { dkim } from './dkim.ts'
import { dmarc } from './dmarc.ts'
import type { RecordKind } from './record-kind.ts'
import { spf } from './spf.ts'

export const recordKinds: readonly RecordKind[] = [spf, dkim, dmarc]
