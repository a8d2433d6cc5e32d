import { Flags } from '@oclif/core'
import { commonFlags } from '../../shell/common-flags.ts'
import { connectionFlags } from '../../shell/connection-flags.ts'

// `--user` says whose changes are meant; the kubeconfig's user has another name here.
const { user: kubeconfigUser, ...otherConnectionFlags } = connectionFlags

const blameConnectionFlags = {
  ...otherConnectionFlags,
  'kubeconfig-user': { ...kubeconfigUser, summary: "user of the kubeconfig to use (kubectl's own --user)" },
}

const several = { multiple: true, multipleNonGreedy: true } as const

/** The flags of `kubectl blame`. */
export const blameFlags = {
  'all-namespaces': Flags.boolean({ char: 'A', summary: 'objects of all namespaces' }),
  namespace: Flags.string({
    char: 'n',
    helpValue: 'NAME',
    summary: "namespace to look in (default: the context's)",
  }),
  format: Flags.string({
    char: 'f',
    options: ['list', 'patch', 'diff', 'yaml', 'json'],
    summary:
      'list of changes, table of patches, unified diff, the object with a name and a time at each line, or Change objects (default: list)',
  }),
  output: Flags.string({
    char: 'o',
    helpValue: 'FORMAT',
    summary:
      'the Change objects as json, yaml, name, jsonpath=TEMPLATE or custom-columns=SPEC; wide: a list that says more',
  }),
  selector: Flags.string({
    char: 'l',
    helpValue: 'SELECTOR',
    summary: 'label selector of the objects (app=web,tier!=db)',
  }),
  'field-selector': Flags.string({
    helpValue: 'SELECTOR',
    summary: 'field selector of the objects (metadata.name=web)',
  }),
  'max-history': Flags.integer({
    min: 0,
    helpValue: 'N',
    summary:
      'the newest N changes of each object, 0 for all (default: 3; 1 for all objects of a type; without a TYPE 20 rows)',
  }),
  since: Flags.string({
    helpValue: 'TIME',
    summary: 'only changes since then (2h, 7d, 2026-11-21T02:00:00Z)',
  }),
  until: Flags.string({ helpValue: 'TIME', summary: 'only changes until then' }),
  user: Flags.string({
    ...several,
    helpValue: 'NAME',
    summary: 'only changes by this user; may be repeated',
  }),
  group: Flags.string({
    ...several,
    helpValue: 'NAME',
    summary: 'only changes by members of this group; may be repeated',
  }),
  manager: Flags.string({
    ...several,
    helpValue: 'NAME',
    summary: 'only changes by this field manager (kubectl-edit, helm); may be repeated',
  }),
  tool: Flags.string({
    ...several,
    helpValue: 'NAME',
    summary: 'only changes made with this (kubectl, argo-cd, flux, helm); may be repeated',
  }),
  operation: Flags.string({
    ...several,
    helpValue: 'NAME',
    summary: 'only create, update, delete or connect; may be repeated',
  }),
  state: Flags.string({
    ...several,
    helpValue: 'NAME',
    summary:
      'only changes in this state (confirmed, admitted, unattributed, ambiguous); pending, superseded and not-landed are shown only when they are named',
  }),
  field: Flags.string({
    ...several,
    helpValue: 'PATH',
    summary: 'only changes of this field (containers[app].image); may be repeated',
  }),
  manual: Flags.boolean({ summary: "only changes by people's own tools, not by controllers and GitOps" }),
  include: Flags.string({
    helpValue: 'PARTS',
    summary:
      'with -f yaml and without the companion: also status, managed (what changes with every write: resourceVersion, last-applied), or both: status,managed',
  }),
  consequences: Flags.boolean({ summary: 'show what controllers did because of a change, each for itself' }),
  reverse: Flags.boolean({ summary: 'the oldest first' }),
  watch: Flags.boolean({
    char: 'w',
    summary: 'go on with changes as they come, until Ctrl-C; needs the companion',
  }),
  time: Flags.string({
    options: ['relative', 'full', 'none'],
    summary: 'how times are written (default: relative)',
  }),
  above: Flags.boolean({
    summary: 'with -f yaml: names on a line of their own, above the lines they are for',
  }),
  comments: Flags.boolean({ summary: 'with -f yaml: names as comments, so that it is YAML as before' }),
  input: Flags.string({
    char: 'i',
    helpValue: 'FILE',
    summary: 'an object, or several, in YAML or JSON in place of a cluster; - for stdin',
  }),
  'no-headers': Flags.boolean({ summary: 'no header and no closing line' }),
  companion: Flags.string({
    options: ['auto', 'require', 'never'],
    default: 'auto',
    summary: 'ask the companion in the cluster, where there is one',
  }),
  ...commonFlags,
  ...blameConnectionFlags,
}

/** The flags of `kubectl blame undo`. */
export const undoFlags = {
  namespace: Flags.string({
    char: 'n',
    helpValue: 'NAME',
    summary: "namespace of the object (default: the context's); left out for objects without one",
  }),
  apply: Flags.boolean({ summary: 'undo it: shows what the API server would make of it, and asks' }),
  yes: Flags.boolean({ char: 'y', summary: 'with --apply: do not ask' }),
  force: Flags.boolean({ summary: 'leave out what was changed again since, and undo the rest' }),
  output: Flags.string({
    char: 'o',
    options: ['diff', 'json', 'yaml'],
    summary: 'the difference to be made, or the patch for kubectl patch (default: diff)',
  }),
  ...commonFlags,
  ...blameConnectionFlags,
}
