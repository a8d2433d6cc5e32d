import type { Migration } from '../../kit/store/store.ts'

/**
 * The schema's history in SQLite: steps are only ever added. An index ends with the row's id by itself. Numbers 0 and 1
 * take no space in a row, so that flags cost nothing.
 */
export const AUDIT_MIGRATIONS: readonly Migration[] = [
  {
    name: 'changes',
    sql: `
      CREATE TABLE meta (
        id INTEGER PRIMARY KEY CHECK (id = 1), base INTEGER NOT NULL, number INTEGER NOT NULL,
        trimmed INTEGER NOT NULL, begins INTEGER NOT NULL, heartbeat INTEGER, epoch INTEGER NOT NULL,
        revision INTEGER NOT NULL
      );
      CREATE TABLE writer (
        id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, writer INTEGER NOT NULL, segment INTEGER NOT NULL,
        byte_offset INTEGER NOT NULL, seq INTEGER NOT NULL
      );
      CREATE INDEX writer_by_hash ON writer (hash);
      CREATE TABLE namespace (
        id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, name TEXT NOT NULL, uid TEXT NOT NULL
      );
      CREATE INDEX namespace_by_hash ON namespace (hash);
      CREATE INDEX namespace_by_name ON namespace (name);
      CREATE TABLE resource (
        id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, api_group TEXT NOT NULL, plural TEXT NOT NULL
      );
      CREATE INDEX resource_by_hash ON resource (hash);
      CREATE TABLE kind (
        id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, resource INTEGER NOT NULL, version TEXT NOT NULL,
        kind TEXT NOT NULL, subresource TEXT NOT NULL
      );
      CREATE INDEX kind_by_hash ON kind (hash);
      CREATE TABLE via (
        id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, manager TEXT NOT NULL, tool TEXT NOT NULL,
        manual INTEGER NOT NULL
      );
      CREATE INDEX via_by_hash ON via (hash);
      CREATE TABLE term (
        id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, class INTEGER NOT NULL, text TEXT NOT NULL
      );
      CREATE INDEX term_by_hash ON term (hash);
      CREATE TABLE timeline (
        id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, resource INTEGER NOT NULL, namespace INTEGER NOT NULL,
        name TEXT NOT NULL
      );
      CREATE INDEX timeline_by_hash ON timeline (hash);
      CREATE INDEX timeline_by_name ON timeline (name);
      CREATE INDEX timeline_by_namespace ON timeline (namespace, resource);
      CREATE TABLE object (
        id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, timeline INTEGER NOT NULL, uid TEXT NOT NULL,
        kind INTEGER NOT NULL, resource_version TEXT, content_hash TEXT NOT NULL, body BLOB,
        gone INTEGER NOT NULL
      );
      CREATE INDEX object_by_hash ON object (hash);
      CREATE INDEX object_by_timeline ON object (timeline);
      CREATE INDEX object_by_uid ON object (uid);
      CREATE TABLE change (
        id INTEGER PRIMARY KEY, number INTEGER NOT NULL, time INTEGER NOT NULL, state INTEGER NOT NULL,
        landed INTEGER NOT NULL, revised INTEGER NOT NULL, operation INTEGER NOT NULL, actor INTEGER NOT NULL,
        timeline INTEGER NOT NULL, object INTEGER NOT NULL, namespace INTEGER NOT NULL, kind INTEGER NOT NULL,
        username INTEGER NOT NULL, account INTEGER NOT NULL, via INTEGER NOT NULL,
        version_before TEXT NOT NULL, version_after TEXT NOT NULL, paths INTEGER NOT NULL, detail BLOB NOT NULL,
        reason TEXT, candidates TEXT, cause TEXT
      );
      CREATE UNIQUE INDEX change_by_number ON change (number);
      CREATE INDEX change_by_time ON change (time);
      CREATE INDEX change_by_namespace ON change (namespace, time);
      CREATE INDEX change_by_namespace_kind ON change (namespace, kind, time);
      CREATE INDEX change_by_kind ON change (kind, time);
      CREATE INDEX change_by_timeline ON change (timeline, landed, time);
      CREATE INDEX change_by_username ON change (username, time);
      CREATE INDEX change_by_people ON change (time) WHERE actor = 0;
      CREATE INDEX change_by_people_in_namespace ON change (namespace, time) WHERE actor = 0;
      CREATE INDEX change_by_open_state ON change (time) WHERE state <= 1;
      CREATE TABLE touch (
        object INTEGER NOT NULL, path INTEGER NOT NULL, change INTEGER NOT NULL, time INTEGER NOT NULL,
        operation INTEGER NOT NULL, state INTEGER NOT NULL, username INTEGER NOT NULL, via INTEGER NOT NULL,
        version_rank INTEGER NOT NULL, removed INTEGER NOT NULL, PRIMARY KEY (object, path)
      ) WITHOUT ROWID;
      CREATE TABLE gap (
        begins INTEGER NOT NULL, reason TEXT NOT NULL, ends INTEGER, PRIMARY KEY (begins, reason)
      ) WITHOUT ROWID;
      CREATE TABLE dictionary (id INTEGER PRIMARY KEY, class TEXT NOT NULL, bytes BLOB NOT NULL);
    `,
  },
]
