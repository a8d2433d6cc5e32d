import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { FieldChange } from '../../../core/wire/change.ts'

/** One operation of a JSON patch (RFC 6902); paths are JSON pointers. */
export type PatchOperation =
  | { readonly op: 'test' | 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }

/**
 * Why a field cannot be put back: `changed` somebody gave it another value since; `gone` it, or what it lies in, is no more;
 * `redacted` its old value is not kept; `fixed` the API server lets nobody change it.
 */
export type UndoObstacle = 'changed' | 'gone' | 'redacted' | 'fixed'

/** A field that is left as it is today. */
export interface UndoConflict {
  /** By the grammar of core/model/field-path. */
  readonly path: string
  readonly obstacle: UndoObstacle
  /** What the change left there; left out where it left nothing, or a text of which only lines are known. */
  readonly left?: unknown
  /** What is there today; left out where nothing is. */
  readonly today?: unknown
}

interface UndoNotes {
  /** Where the change cannot be taken back; nothing should be written before a person has seen them. */
  readonly conflicts: readonly UndoConflict[]
  /** What the person should know, one sentence each: a GitOps tool that will put its own state back, … */
  readonly warnings: readonly string[]
}

/** How one change is taken back, against today's object. */
export type UndoPlan =
  | (UndoNotes & {
      readonly type: 'patch'
      /** Where the patch is sent: a pod's resources are written through `resize` alone; empty for the object itself. */
      readonly subresource: '' | 'resize'
      /** Tests for all it stands on, then what is to be done; empty where all is as before, or nothing can be done. */
      readonly patch: readonly PatchOperation[]
      /** What the patch does to today's object, both without noise, for people. */
      readonly changes: readonly FieldChange[]
      /** Fields that are again as they were before the change. */
      readonly already: readonly string[]
    })
  /** The change created the object: taken back, it is deleted, and only if it still has this uid. */
  | (UndoNotes & { readonly type: 'delete'; readonly uid: string })
  /** The change deleted the object: taken back, it is created again. */
  | (UndoNotes & { readonly type: 'create'; readonly object: KubernetesObject })
  /** There is nothing to take back; `reason` is one clause. */
  | (UndoNotes & { readonly type: 'nothing'; readonly reason: string })
