/** Skips the running test, or from a hook the group that it stands in, for a reason that the closing summary prints. */
export function skip(context: Mocha.Context, reason: string): never {
  const runnable = context.test
  const isHook = runnable !== undefined && 'type' in runnable && runnable.type === 'hook'
  const skipped = isHook ? runnable.parent : runnable
  if (skipped) Object.assign(skipped, { skipReason: reason })
  return context.skip()
}
