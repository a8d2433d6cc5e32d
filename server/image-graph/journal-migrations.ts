import type { Migration } from '../kit/store/store.ts'

/** The schema's history: steps are only ever added. */
export const MIGRATIONS: readonly Migration[] = [
  {
    name: 'journal of images',
    sql: `
      CREATE TABLE journal (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        number INTEGER NOT NULL,
        trimmed INTEGER NOT NULL,
        begins INTEGER NOT NULL
      );
      CREATE TABLE event (
        number INTEGER PRIMARY KEY,
        op TEXT NOT NULL,
        image TEXT NOT NULL,
        namespace TEXT NOT NULL,
        namespace_uid TEXT NOT NULL,
        pod TEXT NOT NULL,
        pod_uid TEXT NOT NULL,
        time INTEGER NOT NULL,
        late INTEGER NOT NULL,
        cluster INTEGER NOT NULL
      );
      CREATE INDEX event_by_namespace ON event (namespace, number);
      CREATE INDEX event_by_image ON event (image, number);
      CREATE INDEX event_of_cluster ON event (number) WHERE cluster = 1;
      CREATE TABLE pod (
        uid TEXT PRIMARY KEY,
        namespace TEXT NOT NULL,
        namespace_uid TEXT NOT NULL,
        name TEXT NOT NULL,
        edges TEXT NOT NULL
      ) WITHOUT ROWID;
      -- Images in use; those of the whole cluster have no namespace.
      CREATE TABLE image (
        namespace TEXT NOT NULL,
        namespace_uid TEXT NOT NULL,
        reference TEXT NOT NULL,
        added INTEGER NOT NULL,
        number INTEGER NOT NULL,
        content TEXT NOT NULL,
        time INTEGER NOT NULL,
        pod_namespace TEXT NOT NULL,
        pod TEXT NOT NULL,
        pod_uid TEXT NOT NULL,
        late INTEGER NOT NULL,
        PRIMARY KEY (namespace, namespace_uid, reference)
      ) WITHOUT ROWID;
    `,
  },
]
