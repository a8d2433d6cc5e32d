import { Flags } from '@oclif/core'
import { VIEW_NAMES } from '../../features/images/views.ts'
import { commonFlags } from '../../shell/common-flags.ts'
import { connectionFlags } from '../../shell/connection-flags.ts'

/** The flags of `kubectl images`; those that kubectl-images has carry its names. */
export const imagesFlags = {
  'all-namespaces': Flags.boolean({ char: 'A', summary: 'images of all namespaces' }),
  namespace: Flags.string({
    char: 'n',
    helpValue: 'NAME',
    summary: "namespace to look in (default: the context's)",
  }),
  by: Flags.string({ options: [...VIEW_NAMES], summary: 'what one row is (default: image)' }),
  columns: Flags.string({
    char: 'c',
    helpValue: 'LIST',
    summary:
      'rows by container, with these columns: 0 namespace, 1 pod, 2 container, 3 image, 4 policy, 5 size, digest, node, workload',
  }),
  unique: Flags.boolean({ char: 'u', summary: 'rows by container, each combination of the columns once' }),
  output: Flags.string({
    char: 'o',
    helpValue: 'FORMAT',
    summary: 'table, wide, json, yaml, csv, name, jsonpath=TEMPLATE or custom-columns=SPEC',
  }),
  selector: Flags.string({
    char: 'l',
    helpValue: 'SELECTOR',
    summary: 'label selector of the pods (app=web,tier!=db)',
  }),
  'field-selector': Flags.string({
    helpValue: 'SELECTOR',
    summary: 'field selector of the pods (spec.nodeName=node-1)',
  }),
  match: Flags.string({ options: ['pod', 'image'], summary: 'what REGEX is compared with (default: both)' }),
  'running-only': Flags.boolean({ summary: 'leave out pods that have finished' }),
  'sort-by': Flags.string({
    helpValue: 'COLUMN',
    summary: 'a column, such as size, or a JSONPath ({.sizeBytes})',
  }),
  reverse: Flags.boolean({ summary: 'turn the order of the rows round: the largest first' }),
  'no-headers': Flags.boolean({ summary: 'no header and no closing line' }),
  follow: Flags.boolean({
    char: 'f',
    summary: 'print [+|image] and [-|image] lines as images come and go, until Ctrl-C',
  }),
  verbose: Flags.boolean({ summary: 'with --follow: also pods, and further users of images' }),
  'no-initial': Flags.boolean({
    summary: 'with --follow: leave out the images that are in use at the start',
  }),
  since: Flags.string({
    helpValue: 'TIME',
    summary:
      'print the changes since then (2h, 7d, 2026-11-21T02:00:00Z), with --follow also those to come; needs the companion',
  }),
  companion: Flags.string({
    options: ['auto', 'require', 'never'],
    default: 'auto',
    summary: 'ask the companion in the cluster, where there is one',
  }),
  ...commonFlags,
  'no-protobuf': Flags.boolean({ hidden: true, summary: 'ask for pods as JSON' }),
  ...connectionFlags,
}
