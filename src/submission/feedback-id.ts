/**
 * Feedback-ID: what Gmail's Postmaster Tools count complaints by, `campaign:account:type:sender`.
 *
 * Added at acceptance, so that it is among the bytes that are stored and signed; a message that brings its own keeps it.
 * The campaign comes from `X-Kitte-Campaign`, which is for us and taken out. Costs nothing where nobody asks for it.
 * Specification: "Feedback Loop" in Gmail's sender guidelines (at most four parts; the last is one name of 5 to 15
 * characters for all mail). Fails with StoreUnavailable.
 */
import type { Config } from '../base/config.ts'
import type { Account } from '../mail/account.ts'
import { fieldsNamed, type HeaderBlock, unfoldedValue } from '../mail/header.ts'
import type { Directory } from '../store/directory.ts'
import type { Submitter } from './checks/check.ts'
import { priorityOf } from './message-facts.ts'
import { findOwners, type OriginatorLimits, readOriginators } from './originators.ts'
import { campaignField, readWishes } from './wishes.ts'

/** Gmail shows identifiers as they stand; longer ones are rare, and colons would make another part. */
const maxCampaignLength = 60
const unusual = /[^A-Za-z0-9._-]+/g

export interface FeedbackIdParts {
  readonly config: Pick<Config, 'submission'>
  readonly directory: Directory
}

type Settings = Config['submission']['feedbackId']

/** The field with its line end; empty: none is to be added. A promise only where the account is not known yet. */
export function feedbackIdField(
  header: HeaderBlock,
  submitter: Submitter,
  { config: { submission }, directory }: FeedbackIdParts,
): string | Promise<string> {
  const { feedbackId: settings } = submission
  if (settings.add === 'off' || fieldsNamed(header, 'feedback-id').length > 0) return ''
  const write = (account: Account | null) =>
    account !== null && isAsked(account, settings) ? fieldOf(header, account, submitter, submission) : ''
  if (submitter.credential.scope === 'account') return write(submitter.account)
  return accountByFrom(header, directory, submission).then(write)
}

function isAsked({ feedbackId }: Account, { add }: Settings): boolean {
  return feedbackId ?? add === 'all'
}

function fieldOf(
  header: HeaderBlock,
  account: Account,
  { credential }: Submitter,
  { feedbackId, listMailIsBulk }: Config['submission'],
): string {
  const type = priorityOf(readWishes(header), credential, listMailIsBulk)
  return `Feedback-ID: ${campaignOf(header)}:${account.id}:${type}:${feedbackId.sender}\r\n`
}

function campaignOf(header: HeaderBlock): string {
  const [field] = fieldsNamed(header, campaignField)
  return field ? unfoldedValue(header, field).trim().replace(unusual, '-').slice(0, maxCampaignLength) : ''
}

/** As `gatherFacts` will find it. A From that can't be read is refused there. */
async function accountByFrom(
  header: HeaderBlock,
  directory: FeedbackIdParts['directory'],
  limits: OriginatorLimits,
): Promise<Account | null> {
  const author = firstAuthor(header, limits)
  const owner = author === null ? undefined : (await findOwners(directory, author)).owners[0]
  return owner === undefined ? null : directory.account(owner)
}

function firstAuthor(header: HeaderBlock, limits: OriginatorLimits): string | null {
  try {
    return readOriginators(header, limits).from[0] ?? null
  } catch {
    return null
  }
}
