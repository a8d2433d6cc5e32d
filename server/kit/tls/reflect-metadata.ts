type Metadata = Map<unknown, unknown>

/** The part of the reflect-metadata proposal that tsyringe asks for when it is loaded. */
interface ReflectMetadata {
  defineMetadata?: (key: unknown, value: unknown, target: object) => void
  getOwnMetadata?: (key: unknown, target: object) => unknown
  getMetadata?: (key: unknown, target: object) => unknown
}

/**
 * Gives `Reflect` the three functions without which tsyringe, on which @peculiar/x509 stands, refuses to be loaded.
 * None of its classes takes constructor parameters, so that in truth nothing is ever kept.
 */
export function installReflectMetadata(): void {
  const reflect = Reflect as ReflectMetadata
  if (reflect.getMetadata) return
  const kept = new WeakMap<object, Metadata>()
  const own = (key: unknown, target: object): unknown => kept.get(target)?.get(key)
  reflect.defineMetadata = (key, value, target) => {
    const metadata = kept.get(target) ?? new Map<unknown, unknown>()
    kept.set(target, metadata.set(key, value))
  }
  reflect.getOwnMetadata = own
  reflect.getMetadata = (key, target) => {
    for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at) as object | null) {
      if (kept.get(at)?.has(key)) return own(key, at)
    }
    return undefined
  }
}
