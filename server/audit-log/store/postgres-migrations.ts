import type { Migration } from '../../kit/store/store.ts'

/**
 * The schema's history in PostgreSQL and what speaks its protocol: steps are only ever added. Simple types only, no
 * sequences; each index says ASC, since elsewhere (YugabyteDB) its first column would be hashed.
 */
export const POSTGRES_MIGRATIONS: readonly Migration[] = [
  {
    name: 'changes',
    sql: `
      CREATE TABLE meta (
        id INTEGER PRIMARY KEY, base BIGINT NOT NULL, number BIGINT NOT NULL, trimmed BIGINT NOT NULL,
        begins BIGINT NOT NULL, heartbeat BIGINT, epoch BIGINT NOT NULL,
        revision BIGINT NOT NULL
      );
      CREATE TABLE writer (
        id BIGINT PRIMARY KEY, hash BIGINT NOT NULL, writer BIGINT NOT NULL, segment BIGINT NOT NULL,
        byte_offset BIGINT NOT NULL, seq BIGINT NOT NULL
      );
      CREATE INDEX writer_by_hash ON writer (hash ASC);
      CREATE TABLE namespace (id BIGINT PRIMARY KEY, hash BIGINT NOT NULL, name TEXT NOT NULL, uid TEXT NOT NULL);
      CREATE INDEX namespace_by_hash ON namespace (hash ASC);
      CREATE INDEX namespace_by_name ON namespace (name ASC);
      CREATE TABLE resource (
        id BIGINT PRIMARY KEY, hash BIGINT NOT NULL, api_group TEXT NOT NULL, plural TEXT NOT NULL
      );
      CREATE INDEX resource_by_hash ON resource (hash ASC);
      CREATE TABLE kind (
        id BIGINT PRIMARY KEY, hash BIGINT NOT NULL, resource BIGINT NOT NULL, version TEXT NOT NULL,
        kind TEXT NOT NULL, subresource TEXT NOT NULL
      );
      CREATE INDEX kind_by_hash ON kind (hash ASC);
      CREATE TABLE via (
        id BIGINT PRIMARY KEY, hash BIGINT NOT NULL, manager TEXT NOT NULL, tool TEXT NOT NULL,
        manual INTEGER NOT NULL
      );
      CREATE INDEX via_by_hash ON via (hash ASC);
      CREATE TABLE term (id BIGINT PRIMARY KEY, hash BIGINT NOT NULL, class INTEGER NOT NULL, text TEXT NOT NULL);
      CREATE INDEX term_by_hash ON term (hash ASC);
      CREATE TABLE timeline (
        id BIGINT PRIMARY KEY, hash BIGINT NOT NULL, resource BIGINT NOT NULL, namespace BIGINT NOT NULL,
        name TEXT NOT NULL
      );
      CREATE INDEX timeline_by_hash ON timeline (hash ASC);
      CREATE INDEX timeline_by_name ON timeline (name ASC);
      CREATE INDEX timeline_by_namespace ON timeline (namespace ASC, resource ASC);
      CREATE TABLE object (
        id BIGINT PRIMARY KEY, hash BIGINT NOT NULL, timeline BIGINT NOT NULL, uid TEXT NOT NULL,
        kind BIGINT NOT NULL, resource_version TEXT, content_hash TEXT NOT NULL, body BYTEA, gone INTEGER NOT NULL
      );
      CREATE INDEX object_by_hash ON object (hash ASC);
      CREATE INDEX object_by_timeline ON object (timeline ASC);
      CREATE INDEX object_by_uid ON object (uid ASC);
      CREATE TABLE change (
        id BIGINT PRIMARY KEY, number BIGINT NOT NULL, time BIGINT NOT NULL, state INTEGER NOT NULL,
        landed INTEGER NOT NULL, revised INTEGER NOT NULL, operation INTEGER NOT NULL, actor INTEGER NOT NULL,
        timeline BIGINT NOT NULL, object BIGINT NOT NULL, namespace BIGINT NOT NULL, kind BIGINT NOT NULL,
        username BIGINT NOT NULL, account BIGINT NOT NULL, via BIGINT NOT NULL,
        version_before TEXT NOT NULL, version_after TEXT NOT NULL, paths BIGINT NOT NULL, detail BYTEA NOT NULL,
        reason TEXT, candidates TEXT, cause TEXT
      );
      CREATE UNIQUE INDEX change_by_number ON change (number ASC);
      CREATE INDEX change_by_time ON change (time ASC, id ASC);
      CREATE INDEX change_by_namespace ON change (namespace ASC, time ASC, id ASC);
      CREATE INDEX change_by_namespace_kind ON change (namespace ASC, kind ASC, time ASC, id ASC);
      CREATE INDEX change_by_kind ON change (kind ASC, time ASC, id ASC);
      CREATE INDEX change_by_timeline ON change (timeline ASC, landed ASC, time ASC, id ASC);
      CREATE INDEX change_by_username ON change (username ASC, time ASC, id ASC);
      CREATE INDEX change_by_people ON change (time ASC, id ASC) WHERE actor = 0;
      CREATE INDEX change_by_people_in_namespace ON change (namespace ASC, time ASC, id ASC) WHERE actor = 0;
      CREATE INDEX change_by_open_state ON change (time ASC, id ASC) WHERE state <= 1;
      CREATE TABLE touch (
        object BIGINT NOT NULL, path BIGINT NOT NULL, change BIGINT NOT NULL, time BIGINT NOT NULL,
        operation INTEGER NOT NULL, state INTEGER NOT NULL, username BIGINT NOT NULL, via BIGINT NOT NULL,
        version_rank BIGINT NOT NULL, removed INTEGER NOT NULL, PRIMARY KEY (object, path)
      );
      CREATE TABLE gap (begins BIGINT NOT NULL, reason TEXT NOT NULL, ends BIGINT, PRIMARY KEY (begins, reason));
      CREATE TABLE dictionary (id BIGINT PRIMARY KEY, class TEXT NOT NULL, bytes BYTEA NOT NULL);
      CREATE TABLE replica (
        writer BIGINT PRIMARY KEY, owner TEXT NOT NULL, seq BIGINT NOT NULL, heartbeat BIGINT NOT NULL
      );
      CREATE TABLE inbox (
        writer BIGINT NOT NULL, seq BIGINT NOT NULL, entry BYTEA NOT NULL, PRIMARY KEY (writer, seq)
      );
    `,
  },
  {
    name: 'purges',
    sql: `
      CREATE TABLE purge (
        number BIGINT PRIMARY KEY, request TEXT NOT NULL UNIQUE, filter TEXT NOT NULL, asked BIGINT NOT NULL,
        changes BIGINT NOT NULL
      );
      ALTER TABLE replica ADD COLUMN purged BIGINT NOT NULL DEFAULT 0;
      ALTER TABLE replica ADD COLUMN heard BIGINT NOT NULL DEFAULT 0;
      UPDATE replica SET heard = heartbeat;
    `,
  },
]
