import { storeContract } from './contract.ts'
import { sqliteFactory } from './factory.ts'

storeContract('SQLite, writer in its own thread', sqliteFactory(false))
storeContract('SQLite, writer in the same thread', sqliteFactory(true))
