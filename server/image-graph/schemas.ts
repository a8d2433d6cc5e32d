type Schema = Readonly<Record<string, unknown>>

function text(description: string): Schema {
  return { type: 'string', description }
}

function count(description: string): Schema {
  return { type: 'integer', format: 'int64', description }
}

function flag(description: string): Schema {
  return { type: 'boolean', description }
}

function record(description: string, properties: Schema): Schema {
  return { type: 'object', description, properties }
}

function listOf(description: string, items: Schema): Schema {
  return { type: 'array', description, items }
}

const op = { ...text('+ came into use, - went out of use.'), enum: ['+', '-'] }
const time = { ...text('When it was seen.'), format: 'date-time' }
const late = flag('Seen only after a time in which nobody was watching.')

const counts = {
  namespaces: count('Namespaces with pods that use it.'),
  workloads: count('Workloads of these pods.'),
  pods: count('Pods that use it; finished ones too, until they are deleted.'),
  nodes: count('Nodes on which these pods run.'),
}

const usedBy = record('One container of one workload.', {
  group: text("The workload's API group; empty for core kinds."),
  kind: text('The kind of the workload; Pod for a bare pod.'),
  name: text('The name of the workload.'),
  namespace: text('The namespace of the workload.'),
  container: text("The container's name, or the volume's."),
  type: {
    ...text('How a pod uses it.'),
    enum: ['container', 'init', 'sidecar', 'ephemeral', 'volume'],
  },
  pods: count('How many pods of the workload use it so.'),
})

/** OpenAPI v3 schemas of an Image's own fields, for `kubectl explain`. */
export const imageSchemas: Schema = {
  image: record('The image, as it is written and in its normal form.', {
    reference: text('As pod specs write it, which is its identity.'),
    name: text('Registry and repository with defaults filled in: docker.io/library/nginx.'),
    tag: text('The tag; latest where the reference has neither tag nor digest.'),
    digest: text('The digest that the reference itself pins, or empty.'),
  }),
  digests: listOf(
    'What really runs: digests of manifests, or ids of images where the runtime knows no digest.',
    { type: 'string' },
  ),
  sizeBytes: count(
    "Bytes on a node's disk, the largest where nodes differ; absent where no node reports it.",
  ),
  usage: record('How widely it is used.', {
    ...counts,
    by: listOf('Who uses it, most pods first.', usedBy),
  }),
  alsoSpelled: listOf('Other spellings of the same image that are in use here too.', { type: 'string' }),
  usageTogether: record('The counts over all spellings together.', counts),
  lastChange: record('What last brought it into use or took it out of use.', {
    op,
    time,
    namespace: text('The namespace of the pod that made the difference.'),
    pod: text('The pod that made the difference.'),
    uid: text("The pod's uid."),
    late,
  }),
}

/** OpenAPI v3 schemas of an ImageEvent's own fields, for `kubectl explain`. */
export const imageEventSchemas: Schema = {
  op,
  image: text('The reference as pod specs write it.'),
  pod: record('The pod that made the difference.', {
    namespace: text('Its namespace.'),
    name: text('Its name.'),
    uid: text('Its uid.'),
  }),
  time,
  late,
}
