/**
 * The sandbox's zone: records by owner name, kept in a file so that what was published survives a restart.
 *
 * Changes are written to a new file that then replaces the old one: a crash leaves the zone as it was before or after.
 * Fails at opening when the file can't be read as a zone, naming the file.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { Zone, ZoneEntry } from '../dns/zone.ts'
import type { DomainName } from '../mail/ids.ts'

export interface ZoneBook {
  entry(name: DomainName): ZoneEntry | undefined
  /** Whether a name is there, or lies above one that is (RFC 8020 §2). */
  exists(name: DomainName): boolean
  zone(): Zone
  /** Replaces all records of a name; an entry without records takes the name out. */
  set(name: DomainName, entry: ZoneEntry): void
}

export function openZoneBook(file: string): ZoneBook {
  const entries = new Map<DomainName, ZoneEntry>(Object.entries(readZone(file)))

  function save(): void {
    const fresh = `${file}.new`
    writeFileSync(fresh, `${JSON.stringify(Object.fromEntries([...entries].sort()), null, 2)}\n`, { flush: true })
    renameSync(fresh, file)
  }

  return {
    entry: name => entries.get(canonical(name)),
    exists: name => {
      const below = `.${canonical(name)}`
      return entries.has(canonical(name)) || [...entries.keys()].some(owner => owner.endsWith(below))
    },
    zone: () => Object.fromEntries(entries),
    set(name, entry) {
      if (hasRecords(entry)) entries.set(canonical(name), entry)
      else entries.delete(canonical(name))
      save()
    },
  }
}

function readZone(file: string): Zone {
  if (!existsSync(file)) return {}
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Zone
  } catch (cause) {
    throw new Error(`${file} is no zone; delete it to start with a fresh one`, { cause })
  }
}

function hasRecords({ ttl: _ttl, secure: _secure, ...records }: ZoneEntry): boolean {
  return Object.values(records).some(values => values !== undefined && values.length > 0)
}

function canonical(name: string): DomainName {
  return name.toLowerCase().replace(/\.$/, '')
}
