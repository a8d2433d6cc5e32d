import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import { blamedObject } from './blamed-object.ts'

/** A line of YAML and the field that it is about. */
export interface YamlTextLine {
  readonly path: string
  readonly text: string
  /** A further line of a text of several lines. */
  readonly continued: boolean
}

/** A value as YAML in kubectl's form: keys sorted, lists not indented, texts of several lines as blocks. */
export function yamlLines(value: unknown): readonly YamlTextLine[] {
  return blamedObject(value as KubernetesObject, { owners: undefined })
}
