/**
 * The kinds of records Kitte asks a sender domain to publish, in the order they are shown.
 */
import { dkim } from './dkim.ts'
import { dmarc } from './dmarc.ts'
import type { RecordKind } from './record-kind.ts'
import { returnPath, returnPathSpf } from './return-path.ts'
import { spf } from './spf.ts'
import { tracking } from './tracking.ts'

export const recordKinds: readonly RecordKind[] = [spf, dkim, dmarc, returnPath, returnPathSpf, tracking]
