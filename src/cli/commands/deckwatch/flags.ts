import { Flags } from '@oclif/core'
import { commonFlags } from '../../shell/common-flags.ts'
import { connectionFlags } from '../../shell/connection-flags.ts'

const common = {
  ...commonFlags,
  ...connectionFlags,
}

const yes = Flags.boolean({ summary: 'do not ask before writing' })

/** The flags of `kubectl deckwatch install`; those that are keys of `--set` too win over it. */
export const installFlags = {
  namespace: Flags.string({
    char: 'n',
    helpValue: 'NAME',
    summary: 'namespace of the companion, of its own (default: deckwatch)',
  }),
  components: Flags.string({
    helpValue: 'LIST',
    summary: 'what it does: image-graph, audit-log, or all (default: image-graph)',
  }),
  image: Flags.string({ helpValue: 'REFERENCE', summary: "the companion's image" }),
  replicas: Flags.string({
    helpValue: 'N',
    summary: 'pods with the components (more than 1 needs a shared store)',
  }),
  'api-replicas': Flags.string({
    helpValue: 'N',
    summary: 'serve the API from so many pods of its own, so that a drain never takes it away (default: 0)',
  }),
  storage: Flags.string({
    options: ['pvc', 'hostPath', 'emptyDir'],
    summary: 'where the history is kept (default: as it is, else pvc where there is a default StorageClass)',
  }),
  'host-network': Flags.boolean({
    summary: 'run in the network of the node, where the control plane cannot reach pods',
  }),
  set: Flags.string({
    helpValue: 'KEY=VALUE',
    multiple: true,
    multipleNonGreedy: true,
    summary: "set one of the chart's values (storage.size=10Gi); may be repeated",
  }),
  values: Flags.string({
    helpValue: 'FILE',
    summary: "a YAML file with some of the chart's values; --set wins",
  }),
  'dry-run': Flags.boolean({ summary: 'let the server try everything and write nothing' }),
  output: Flags.string({
    char: 'o',
    options: ['yaml', 'json'],
    summary: 'print the manifests and write nothing',
  }),
  print: Flags.string({
    options: ['alerts', 'dashboard'],
    summary:
      'print what watches the companion, a PrometheusRule or a dashboard of Grafana, and write nothing',
  }),
  wait: Flags.boolean({ summary: 'also wait until every pod is there and every component ready' }),
  timeout: Flags.string({
    helpValue: 'DURATION',
    default: '3m',
    summary: 'how long the pods may take to become ready',
  }),
  yes,
  ...common,
}

/** The flags of `kubectl deckwatch purge`. */
export const purgeFlags = {
  namespace: Flags.string({ char: 'n', helpValue: 'NAME', summary: 'namespace of the object' }),
  field: Flags.string({
    helpValue: 'PATH',
    summary: 'only the values at this path and below (default: the whole history of the object)',
  }),
  force: Flags.boolean({ summary: 'also where the object still has the value' }),
  yes,
  ...common,
}

/** The flags of `kubectl deckwatch status`. */
export const statusFlags = {
  namespace: Flags.string({
    char: 'n',
    helpValue: 'NAME',
    summary: 'namespace of the companion (default: where the API group is served from)',
  }),
  output: Flags.string({ char: 'o', options: ['json', 'yaml'], summary: 'the whole report as a document' }),
  ...common,
}

/** The flags of `kubectl deckwatch uninstall`. */
export const uninstallFlags = {
  namespace: Flags.string({
    char: 'n',
    helpValue: 'NAME',
    summary: 'namespace of the companion (default: where the API group is served from)',
  }),
  'keep-data': Flags.boolean({ summary: 'leave the volume with the history, and the namespace' }),
  timeout: Flags.string({
    helpValue: 'DURATION',
    default: '3m',
    summary: 'how long everything may take to be gone',
  }),
  yes,
  ...common,
}
