/**
 * Reads whole lists from the API, page by page, and finds accounts by name.
 */
import type { AccountAnswer } from '../admin/routes/accounts.ts'
import type { ApiClient, Query } from './api-client.ts'
import { CliError } from './cli-error.ts'

/** All rows under `key`, or the first `most`. */
export async function readAll<T>(
  api: ApiClient,
  path: string,
  key: string,
  query: Query = {},
  most = Number.POSITIVE_INFINITY,
): Promise<T[]> {
  const rows: T[] = []
  let cursor: string | null = null
  do {
    const page: { next: string | null } & { [key: string]: unknown } = await api.get(path, {
      ...query,
      limit: Math.min(1000, most - rows.length),
      cursor,
    })
    rows.push(...(page[key] as T[]))
    cursor = page.next
  } while (cursor !== null && rows.length < most)
  return rows
}

/** The names of all accounts, by id. */
export async function accountNames(api: ApiClient): Promise<ReadonlyMap<string, string>> {
  const accounts = await readAll<AccountAnswer>(api, '/v1/accounts', 'accounts')
  return new Map(accounts.map(({ id, name }) => [id, name]))
}

/** People know accounts by name; the API by id. */
export async function accountIdOf(api: ApiClient, idOrName: string): Promise<string> {
  const accounts = await readAll<AccountAnswer>(api, '/v1/accounts', 'accounts')
  const byId = accounts.find(account => account.id === idOrName)
  if (byId) return byId.id
  const byName = accounts.filter(account => account.name === idOrName)
  if (byName.length === 1) return byName[0]!.id
  if (byName.length > 1)
    throw new CliError(
      `${byName.length} accounts are named ${idOrName}`,
      `use the id: ${byName.map(account => account.id).join(', ')}`,
    )
  throw new CliError(`there is no account ${idOrName}`, '"kitte account list" shows them all')
}
