import type { ChangeId } from './store/audit-store.ts'

/** `<writer>-<seq>`: what the audit annotation carries too. */
export function changeName({ writer, seq }: ChangeId): string {
  return `${writer}-${seq}`
}

/** The id in a name; undefined where it is none. */
export function changeId(name: string): ChangeId | undefined {
  const [, writer, seq] = /^(0|[1-9]\d{0,9})-([1-9]\d{0,14})$/.exec(name) ?? []
  return writer === undefined || seq === undefined ? undefined : { writer: Number(writer), seq: Number(seq) }
}
