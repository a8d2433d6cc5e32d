import { writeFileSync } from 'node:fs'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Log } from '../log.ts'
import { asStoreError, isDamage } from './sqlite-error.ts'
import type { SetAside, Store } from './store.ts'

/** What an open store stands on. */
export interface OpenedStore {
  readonly database: DatabaseSync
  readonly setAside: SetAside | undefined
  /** Written where damage is found while running, so that the next start sets the file aside whatever a quick check says. */
  readonly damageMark: string
  readonly log: Log
  readonly unlock: () => void
}

/** A store over an open database whose schema is up to date. */
export class SqliteStore implements Store {
  readonly database: DatabaseSync
  readonly setAside: SetAside | undefined
  readonly #opened: OpenedStore
  readonly #statements = new Map<string, StatementSync>()

  constructor(opened: OpenedStore) {
    this.database = opened.database
    this.setAside = opened.setAside
    this.#opened = opened
  }

  statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  write<T>(work: () => T): T {
    const { database } = this
    try {
      database.exec('BEGIN IMMEDIATE')
      const result = work()
      database.exec('COMMIT')
      return result
    } catch (error) {
      // SQLite has rolled back by itself after some failures, such as a full disk.
      if (database.isTransaction) database.exec('ROLLBACK')
      if (isDamage(error)) this.#markDamage(error)
      throw asStoreError(error)
    }
  }

  usedBytes(): number {
    const pragma = (name: string): number => Number(this.statement(`PRAGMA ${name}`).get()?.[name])
    return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size')
  }

  vacuum(pages: number): void {
    try {
      // exec, for this pragma gives back one page each time it is stepped.
      this.database.exec(`PRAGMA incremental_vacuum(${Math.floor(pages)})`)
    } catch (error) {
      throw asStoreError(error)
    }
  }

  rewrite(): void {
    try {
      this.database.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)')
    } catch (error) {
      throw asStoreError(error)
    }
  }

  close(): void {
    const { log, unlock } = this.#opened
    if (!this.database.isOpen) return
    try {
      this.database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch (err) {
      // What is in the WAL is durable there and read again at the next start.
      log.warn({ err }, 'the store is closed with its write-ahead log not yet merged')
    }
    this.database.close()
    unlock()
  }

  #markDamage(error: unknown): void {
    const { damageMark, log } = this.#opened
    log.error({ err: error }, 'the store is damaged: the next start begins a new one')
    try {
      writeFileSync(damageMark, error instanceof Error ? error.message : String(error))
    } catch (err) {
      log.warn({ err }, 'the damage could not be noted for the next start')
    }
  }
}
